package dev.codeforge.console.hub;

import dev.codeforge.jetstream.LiveStreams.Entry;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * Events of tasks that the informer has not delivered yet. The subscriptions for an event are known only with its task.
 */
final class EarlyEvents {
    /** Bounded, because tasks of outside producers never appear in the informer. */
    private static final int MOST = 1_000;

    private final NavigableMap<Long, Entry> events = new TreeMap<>();

    void keep(Entry event) {
        events.put(event.sequence(), event);
        if (events.size() > MOST) {
            events.pollFirstEntry();
        }
    }

    /** Removes and returns the events of a task that has appeared. */
    List<Entry> of(String uid) {
        if (events.isEmpty()) {
            return List.of();
        }
        final List<Entry> found = events.values().stream()
                .filter(event -> event.task().id().equals(uid))
                .toList();
        found.forEach(event -> events.remove(event.sequence()));
        return found;
    }
}
