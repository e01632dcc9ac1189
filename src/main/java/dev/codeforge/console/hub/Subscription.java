package dev.codeforge.console.hub;

import java.util.Comparator;
import java.util.Optional;

/** A client's subscription and the progress of its snapshot. Guarded by the hub's lock. */
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
    /** Encoded once: each message of the subscription starts with it. */
    private final Message.Addressee name;

    private Optional<Place> shown = Optional.empty();
    private boolean allShown;
    private boolean ended;

    Subscription(Client client, Request request) {
        this.client = client;
        this.request = request;
        this.name = Message.Addressee.of(request.id());
    }

    Client client() {
        return client;
    }

    Request request() {
        return request;
    }

    /** Moves the snapshot's position. Changes behind it are sent; changes ahead of it will be part of the snapshot. */
    void show(Item item) {
        shown = Optional.of(Place.of(item));
        send(Message.of(Message.Change.Present, item));
    }

    void send(Message.Body body) {
        client.offer(body.to(name));
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
            send(Message.of(had ? Message.Change.Changed : Message.Change.Present, item));
        } else if (had) {
            send(Message.of(Message.Change.Deleted, item));
        }
    }

    boolean isOver() {
        return ended || client.isClosed();
    }

    void end() {
        ended = true;
    }
}
