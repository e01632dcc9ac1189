package dev.codeforge.console.hub;

import java.util.Comparator;
import java.util.Optional;

/** What one client wants, and how far it has it. Guarded by the hub's lock. */
final class Subscription {
    /** A place in a snapshot: pools by name, then tasks by name. */
    record Place(Item.Kind kind, String name) implements Comparable<Place> {
        private static final Comparator<Place> ORDER =
                Comparator.comparing(Place::kind).thenComparing(Place::name);

        static Place of(Item item) {
            return new Place(item.kind(), item.name());
        }

        @Override
        public int compareTo(Place other) {
            return ORDER.compare(this, other);
        }
    }

    private final Client client;
    private final Request request;
    private Optional<Place> shown = Optional.empty();
    private boolean allShown;
    private long hearsEventsAfter = Long.MAX_VALUE;
    private long hearsLinesAfter = Long.MAX_VALUE;
    private boolean ended;

    Subscription(Client client, Request request) {
        this.client = client;
        this.request = request;
    }

    Client client() {
        return client;
    }

    Request request() {
        return request;
    }

    /** The snapshot has come so far: what changes behind it is sent, what changes ahead of it is still to be sent. */
    void show(Item item) {
        shown = Optional.of(Place.of(item));
        client.offer(Message.of(Message.Change.Present, item).to(request));
    }

    void showedAll() {
        allShown = true;
    }

    Optional<Place> shown() {
        return shown;
    }

    void change(Optional<Item> before, Optional<Item> now) {
        final Item item = now.or(() -> before).orElseThrow();
        if (!allShown
                && shown.filter(place -> place.compareTo(Place.of(item)) >= 0).isEmpty()) {
            return;
        }
        final boolean had = before.filter(request::wants).isPresent();
        if (now.filter(request::wants).isPresent()) {
            client.offer(Message.of(had ? Message.Change.Changed : Message.Change.Present, item)
                    .to(request));
        } else if (had) {
            client.offer(Message.of(Message.Change.Deleted, item).to(request));
        }
    }

    /** What it has read itself it does not hear again. */
    boolean hearsEvent(long sequence) {
        return sequence > hearsEventsAfter && !ended;
    }

    boolean hearsLine(long sequence) {
        return sequence > hearsLinesAfter && !ended;
    }

    void hearEventsAfter(long sequence) {
        hearsEventsAfter = sequence;
    }

    void hearLinesAfter(long sequence) {
        hearsLinesAfter = sequence;
    }

    boolean isOver() {
        return ended || client.isClosed();
    }

    void end() {
        ended = true;
    }
}
