package dev.codeforge.jetstream;

import dev.codeforge.wire.DispatchKey;
import dev.codeforge.wire.TaskEvent;
import dev.codeforge.wire.TaskRef;
import java.time.Instant;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** Events of tasks. Every method throws {@link QueueUnavailableException} when NATS does not answer. */
public interface Results {

    /** Why results cannot be kept or taken right now; empty when all is well. */
    Optional<String> problem();

    /** The last event, read from the leader, so that absence is reliable. */
    Optional<StoredEvent> last(TaskRef task);

    /**
     * The last events of many tasks by task, one request for each 1,024. Any replica answers and may be behind: confirm by
     * {@link #last} before acting on absence. A task without events is left out.
     */
    Map<TaskRef, StoredEvent> lastOf(Collection<TaskRef> tasks);

    /**
     * Writes an event if the last sequence on the subject is the expected one (0: none).
     *
     * @return the new sequence, or empty when another event came in between
     */
    Optional<Long> append(TaskRef task, String eventId, byte[] body, String proof, long expectedSequence);

    /**
     * Hands over each event once, and again after a minute while it is not acknowledged. The consumer survives outages of
     * NATS; close it to stop.
     */
    Consumption consume(Consumer<Delivery> onEvent);

    /** A delivered event. Acknowledge it when the change that it causes is stored. */
    interface Delivery {
        StoredEvent event();

        void ack();
    }

    /**
     * A message on {@code events.<namespace>.<pool>.<task_id>} as stored.
     *
     * @param time when NATS stored it, by its clock
     * @param proof the proof header, empty when absent
     */
    record StoredEvent(TaskRef task, long sequence, Instant time, byte[] body, String proof) {
        /** The event, if its proof holds, with its times by NATS' clock, because its writer's clock may differ. */
        public Optional<TaskEvent> proven(DispatchKey key) {
            return asWritten(key).map(event -> event.storedAt(time));
        }

        /** The event, if its proof holds, with its times by its writer's clock. */
        public Optional<TaskEvent> asWritten(DispatchKey key) {
            return TaskEvent.proven(key, task.id(), body, proof);
        }
    }
}
