package dev.codeforge.jetstream;

import dev.codeforge.wire.TaskRef;
import java.time.Duration;
import java.util.Optional;

/** Questions to whoever runs a task, over core NATS. */
public interface Control {

    /** Who runs the task? Empty when nobody answers in time. */
    Optional<Holder> holder(TaskRef task, Duration timeout);

    /**
     * Asks the holder to stop the agent; true when it took the request. Its terminal event follows.
     *
     * @param type becomes the event's failure type: Cancelled, Suspended and TaskDeleted cancel, any other fails
     * @param reason becomes the failure's message
     */
    boolean cancel(TaskRef task, int attempt, String type, String reason, Duration timeout);

    record Holder(String worker, int attempt, int delivery) {}
}
