package dev.codeforge.console.hub;

import dev.codeforge.jetstream.LiveStreams.Entry;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/** Events of tasks that the API server has not told of yet: which subscription they concern is known with the task. */
final class EarlyEvents {
    /** Of outside producers' tasks nobody ever tells. */
    private static final int MOST = 1_000;

    private final Deque<Entry> events = new ArrayDeque<>();

    void keep(Entry event) {
        events.add(event);
        if (events.size() > MOST) {
            events.remove();
        }
    }

    /** The events of a task that has come; they are given once. */
    List<Entry> of(String uid) {
        if (events.isEmpty()) {
            return List.of();
        }
        final List<Entry> found =
                events.stream().filter(event -> event.task().id().equals(uid)).toList();
        events.removeAll(found);
        return found;
    }
}
