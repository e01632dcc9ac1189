package dev.codeforge.operator.task;

import dev.codeforge.operator.status.Reason;
import dev.codeforge.operator.status.ReconcileError;
import dev.codeforge.wire.TaskEvent;
import java.time.Instant;
import java.util.Optional;

/** What the status shall say. */
sealed interface StatusTransition {
    /** As it says now. */
    record Unchanged() implements StatusTransition {}

    /** Not published, and why. */
    record Waiting(Reason reason, String message) implements StatusTransition {}

    /** The message stands; {@code event} is there after a run was given back. */
    record Queued(int attempt, String stream, long sequence, Optional<TaskEvent> event) implements StatusTransition {}

    /** A worker runs it. */
    record Running(TaskEvent event) implements StatusTransition {}

    /** A worker runs it and was asked to stop; {@code event} is empty when its events are lost. */
    record Stopping(StopReason stop, Optional<TaskEvent> event) implements StatusTransition {}

    /** An attempt failed; another follows. */
    record Retrying(TaskEvent event, Instant next) implements StatusTransition {}

    /** Held back; {@code event} is there when that ended an attempt. */
    record Suspended(Optional<TaskEvent> event) implements StatusTransition {}

    /** The last attempt's outcome is the task's. */
    record Ended(TaskEvent event) implements StatusTransition {}

    /** The task ends between attempts: there was nothing to stop. */
    record Closed(boolean cancelled, TaskEvent.Failure failure) implements StatusTransition {}

    /** It could not be reconciled: all else stays as it is. */
    record Troubled(ReconcileError error) implements StatusTransition {}

    /** An earlier task of the same idempotency key has ended: its end is taken over, and nothing is paid. */
    record Adopted(TaskEvent event, String owner) implements StatusTransition {}
}
