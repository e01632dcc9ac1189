package dev.codeforge.console.hub;

import dev.codeforge.wire.TaskRef;
import java.util.HashSet;
import java.util.Set;

/** The lines of a task that somebody watches. Guarded by the hub's lock. */
final class LogTail {
    private final TaskRef task;
    private final Tail tail = new Tail();
    private final StreamReader reader;
    private final Set<Subscription> subscriptions = new HashSet<>();

    LogTail(TaskRef task, StreamReader reader) {
        this.task = task;
        this.reader = reader;
    }

    TaskRef task() {
        return task;
    }

    Tail tail() {
        return tail;
    }

    StreamReader reader() {
        return reader;
    }

    Set<Subscription> subscriptions() {
        return subscriptions;
    }
}
