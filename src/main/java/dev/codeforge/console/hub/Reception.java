package dev.codeforge.console.hub;

import dev.codeforge.jetstream.LiveStreams.Entry;
import java.util.List;
import java.util.Optional;

/**
 * The entries of one feed for one subscription: first those that it reads from the stream at its client's pace, then
 * those that all hear. Guarded by the hub's lock.
 */
final class Reception {
    private static final long NOT_BEGUN = -1;

    private final Subscription subscription;
    private final Feed feed;
    private long from = NOT_BEGUN;
    private long read = NOT_BEGUN;
    private boolean joined;

    /** @param after the client has all entries up to this sequence; empty to start at the feed's position */
    Reception(Subscription subscription, Feed feed, Optional<Long> after) {
        this.subscription = subscription;
        this.feed = feed;
        after.ifPresent(this::begin);
    }

    private void begin(long sequence) {
        from = sequence;
        read = sequence;
    }

    Subscription subscription() {
        return subscription;
    }

    Feed feed() {
        return feed;
    }

    void hear(Entry entry, Message.Body body, boolean missed) {
        if (!joined || entry.sequence() <= read || !concerns(entry)) {
            return;
        }
        if (missed && !subscription.client().hasRoom()) {
            joined = false;
            read = entry.sequence() - 1;
            feed.fallBehind(this);
        } else {
            subscription.send(body);
        }
    }

    /** An entry whose task appeared late. A subscription that does not filter by task has had it. */
    void hearLate(Entry entry) {
        final boolean past = from != NOT_BEGUN && entry.sequence() > from && (joined || entry.sequence() <= read);
        if (past && subscription.request().isOfSomeTasks() && concerns(entry)) {
            feed.form(entry).ifPresent(subscription::send);
        }
    }

    private boolean concerns(Entry entry) {
        return !subscription.isOver() && feed.audience().concerns(subscription.request(), entry);
    }

    /**
     * Reads until the subscription has caught up with the feed, and then hears with the others. Call this without the
     * lock: it waits for the client and blocks no other.
     *
     * @return the sequence that was reached
     */
    long catchUp() throws InterruptedException {
        while (!subscription.isOver()) {
            final long after;
            synchronized (feed.lock()) {
                if (join()) {
                    return read;
                }
                after = read;
            }
            final List<Entry> missed =
                    after == NOT_BEGUN ? List.of() : feed.reader().after(after, subscription::isOver);
            for (final Entry entry : missed) {
                subscription.client().awaitRoom();
                synchronized (feed.lock()) {
                    give(entry);
                }
            }
            if (missed.isEmpty()) {
                Thread.sleep(StreamReader.BEHIND);
            }
        }
        throw new InterruptedException("the subscription has ended");
    }

    private boolean join() {
        final Optional<Long> everybody = feed.position();
        if (everybody.isEmpty()) {
            return false;
        }
        if (from == NOT_BEGUN) {
            begin(everybody.get());
        }
        joined = read >= everybody.get();
        return joined;
    }

    private void give(Entry entry) {
        feed.audience().notice(entry);
        if (concerns(entry)) {
            feed.form(entry).ifPresent(subscription::send);
        }
        read = entry.sequence();
    }
}
