package dev.codeforge.operator.scaling;

import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.PriorityQueue;
import java.util.function.LongConsumer;

/** A clock that jumps from event to event; events of the same millisecond happen in the order they were asked for. */
final class SimulatedTime {
    private static final Instant START = Instant.parse("2026-11-24T12:00:00Z");

    private record Event(long at, long order, Runnable what) {}

    private final PriorityQueue<Event> events =
            new PriorityQueue<>(Comparator.comparingLong(Event::at).thenComparingLong(Event::order));
    private long now;
    private long order;

    /** Milliseconds since the start. */
    long now() {
        return now;
    }

    Instant instant() {
        return START.plusMillis(now);
    }

    void at(long millis, Runnable what) {
        events.add(new Event(Math.max(now, millis), order++, what));
    }

    void in(Duration delay, Runnable what) {
        at(now + delay.toMillis(), what);
    }

    /** @param passing is told the milliseconds between two events */
    void runUntil(long end, LongConsumer passing) {
        while (!events.isEmpty() && events.peek().at() <= end) {
            final Event event = events.remove();
            passing.accept(event.at() - now);
            now = event.at();
            event.what().run();
        }
        passing.accept(end - now);
        now = end;
    }
}
