package dev.codeforge.operator.task.status;

import dev.codeforge.operator.status.Reason;
import dev.codeforge.operator.status.ReconcileError;
import dev.codeforge.wire.TaskEvent;
import java.time.Instant;
import java.util.Optional;

/** What the next status says. */
public sealed interface StatusTransition {
    /** The status stays. */
    record Unchanged() implements StatusTransition {}

    /** Not published yet, and why. */
    record Waiting(Reason reason, String message) implements StatusTransition {}

    /** The message is in the stream; {@code event} is present after a run was released. */
    record Queued(int attempt, String stream, long sequence, Optional<TaskEvent> event) implements StatusTransition {}

    /** A worker runs it. */
    record Running(TaskEvent event) implements StatusTransition {}

    /**
     * A worker runs it and was asked to stop; {@code event} is empty when its events were lost. A worker that has accepted
     * may be silent for as long again.
     */
    record Stopping(StopReason stop, Optional<TaskEvent> event, boolean accepted) implements StatusTransition {}

    /** An attempt failed; another follows. */
    record Retrying(TaskEvent event, Instant next) implements StatusTransition {}

    /** Suspended; {@code event} is present when the suspension ended an attempt. */
    record Suspended(Optional<TaskEvent> event) implements StatusTransition {}

    /** The last attempt's outcome is the task's. */
    record Ended(TaskEvent event) implements StatusTransition {}

    /** The task ends between attempts: no run had to be stopped. */
    record Closed(boolean cancelled, TaskEvent.Failure failure) implements StatusTransition {}

    /** The reconcile failed: the rest of the status stays. */
    record Troubled(ReconcileError error) implements StatusTransition {}

    /** An earlier task with the same idempotency key has ended: its end is taken over at no cost. */
    record Adopted(TaskEvent event, String owner) implements StatusTransition {}

    /** Whether it is an end of the task's own work. */
    default boolean endsTheTask() {
        return this instanceof Ended || this instanceof Closed;
    }
}
