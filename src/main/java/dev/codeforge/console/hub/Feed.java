package dev.codeforge.console.hub;

import dev.codeforge.jetstream.LiveStreams.Entry;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.function.Consumer;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One stream for all subscriptions: entries heard over core NATS, and missed ones read from the stream. Each entry is
 * passed on once and in order, under the hub's lock. Methods are called under that lock too, unless they say otherwise.
 */
final class Feed {
    private static final Logger LOG = LoggerFactory.getLogger(Feed.class);

    /** The subscriptions that receive a feed's entries. */
    interface Audience {
        Collection<Reception> receptions(Entry entry);

        Collection<Reception> receptions();

        boolean concerns(Request request, Entry entry);

        /** Called for an entry that is passed on, or read for one subscription. */
        void notice(Entry entry);

        /** An audience that receives every entry. */
        static Audience of(Set<Reception> receptions) {
            return new Audience() {
                @Override
                public Collection<Reception> receptions(Entry entry) {
                    return receptions;
                }

                @Override
                public Collection<Reception> receptions() {
                    return receptions;
                }

                @Override
                public boolean concerns(Request request, Entry entry) {
                    return true;
                }

                @Override
                public void notice(Entry entry) {}
            };
        }
    }

    /**
     * What all feeds share.
     *
     * @param lock the hub's
     * @param tooOld ends a subscription whose sequences became invalid
     */
    record Surroundings(Object lock, ExecutorService readers, Traffic traffic, Consumer<Subscription> tooOld) {}

    private final Surroundings shared;
    private final StreamReader reader;
    private final Function<Entry, Optional<Message.Body>> form;
    private final Audience audience;
    private final Tail tail = new Tail();
    private volatile boolean closed;

    /** @param form the JSON that a client gets for an entry; empty for an entry that a client could not read */
    Feed(Surroundings shared, StreamReader reader, Function<Entry, Optional<Message.Body>> form, Audience audience) {
        this.shared = shared;
        this.reader = reader;
        this.form = form;
        this.audience = audience;
    }

    Object lock() {
        return shared.lock();
    }

    StreamReader reader() {
        return reader;
    }

    Audience audience() {
        return audience;
    }

    Optional<Message.Body> form(Entry entry) {
        return form.apply(entry);
    }

    void hear(Entry entry) {
        switch (tail.hear(entry)) {
            case NEXT -> pass(entry, false);
            case GAP -> {
                shared.traffic().gap();
                follow();
            }
            case KNOWN -> {}
        }
    }

    private void pass(Entry entry, boolean missed) {
        audience.notice(entry);
        final Collection<Reception> receptions = audience.receptions(entry);
        if (!receptions.isEmpty()) {
            form(entry).ifPresent(body -> receptions.forEach(reception -> reception.hear(entry, body, missed)));
        }
    }

    /** Reads missed entries on a thread of its own and passes them on, until heard entries follow without a gap. */
    void follow() {
        shared.readers().submit(this::read);
    }

    private void read() {
        try {
            final long before;
            synchronized (lock()) {
                before = tail.beginReading();
            }
            begin(reader.last(() -> closed), before);
            boolean missing = true;
            while (missing) {
                final List<Entry> page = reader.after(last(), () -> closed);
                synchronized (lock()) {
                    page.stream().filter(tail::read).forEach(entry -> pass(entry, true));
                    missing = !page.isEmpty() || !tail.endReading();
                }
                if (page.isEmpty() && missing) {
                    Thread.sleep(StreamReader.BEHIND);
                }
            }
        } catch (InterruptedException e) {
            LOG.debug("reading ends: {}", e.getMessage());
        }
    }

    private void begin(long end, long before) {
        synchronized (lock()) {
            if (tail.beginAt(end, before)) {
                List.copyOf(audience.receptions())
                        .forEach(reception -> shared.tooOld().accept(reception.subscription()));
            }
        }
    }

    private long last() {
        synchronized (lock()) {
            return tail.last();
        }
    }

    /** The sequence that all subscriptions have reached; empty before it is known. */
    Optional<Long> position() {
        return tail.isKnown() ? Optional.of(tail.last()) : Optional.empty();
    }

    /** A subscription without room for missed entries reads them at its client's pace. */
    void fallBehind(Reception reception) {
        shared.readers().submit(() -> {
            try {
                reception.catchUp();
            } catch (InterruptedException e) {
                LOG.debug("catching up ends: {}", e.getMessage());
            }
        });
    }

    /** Closes the feed, because no subscription uses it. */
    void close() {
        closed = true;
    }

    boolean isClosed() {
        return closed;
    }
}
