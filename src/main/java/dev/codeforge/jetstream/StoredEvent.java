package dev.codeforge.jetstream;

import dev.codeforge.wire.DispatchKey;
import dev.codeforge.wire.TaskEvent;
import dev.codeforge.wire.TaskRef;
import java.time.Instant;
import java.util.Optional;

/**
 * A message on {@code events.<namespace>.<pool>.<task_id>} as stored.
 *
 * @param time when NATS stored it, by its clock
 * @param proof the proof header, empty when absent
 */
public record StoredEvent(TaskRef task, long sequence, Instant time, byte[] body, String proof) {
    /** The event, if its proof holds, with its times by NATS' clock: what its writer's clock shows says nothing here. */
    public Optional<TaskEvent> proven(DispatchKey key) {
        return asWritten(key).map(event -> event.storedAt(time));
    }

    /** The event, if its proof holds, with its times by its writer's clock. */
    public Optional<TaskEvent> asWritten(DispatchKey key) {
        return TaskEvent.proven(key, task.id(), body, proof);
    }
}
