package dev.codeforge.console.hub;

import dev.codeforge.jetstream.LiveStreams.Entry;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;

/** Events of tasks that the API server has not told of yet: which subscription they concern is known with the task. */
final class EarlyEvents {
    /** Of outside producers' tasks nobody ever tells. */
    private static final int MOST = 1_000;

    private final NavigableMap<Long, Entry> events = new TreeMap<>();

    void keep(Entry event) {
        events.put(event.sequence(), event);
        if (events.size() > MOST) {
            events.pollFirstEntry();
        }
    }

    /** The events of a task that has come; they are given once. */
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
