package dev.codeforge.operator.sweep;

import dev.codeforge.jetstream.Connections;
import dev.codeforge.jetstream.Results.StoredEvent;
import dev.codeforge.wire.DispatchKey;
import dev.codeforge.wire.TaskEvent;
import dev.codeforge.wire.TaskRef;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/** The last events of tasks, as far as they are proven. */
public final class LastEvents {
    private final Connections connections;
    private final DispatchKey key;

    public LastEvents(Connections connections, DispatchKey key) {
        this.connections = connections;
        this.key = key;
    }

    /** Read from the leader. */
    Optional<TaskEvent> of(TaskRef task) {
        return connections.results().last(task).flatMap(this::proven);
    }

    /** Read in batches from any replica, which may be behind. */
    Map<String, TaskEvent> of(Collection<TaskRef> tasks) {
        return connections.results().lastOf(tasks).values().stream()
                .flatMap(event -> proven(event).stream())
                .collect(Collectors.toMap(TaskEvent::taskId, Function.identity()));
    }

    private Optional<TaskEvent> proven(StoredEvent event) {
        return event.proven(key);
    }
}
