package dev.codeforge.operator.task.loss;

import dev.codeforge.operator.status.Reason;
import dev.codeforge.wire.TaskEvent;

/**
 * Why a run's worker is lost, read from its pod.
 *
 * @param message a sentence on the cause and the remedy
 */
public record WorkerLoss(Kind kind, String message) {

    public enum Kind {
        /** The pod was removed from outside: the run does not count. */
        DISRUPTED(Reason.Disrupted, true),
        /** The container exceeded its memory limit. */
        OUT_OF_MEMORY(Reason.OutOfMemory, false),
        /** The pod exceeded its own disk limit. */
        OUT_OF_DISK(Reason.OutOfDisk, false);

        private final Reason reason;
        private final boolean givenBack;

        Kind(Reason reason, boolean givenBack) {
            this.reason = reason;
            this.givenBack = givenBack;
        }
    }

    /** True if the run returns to the queue as if its worker had released it; otherwise the attempt has failed. */
    public boolean isGivenBack() {
        return kind.givenBack;
    }

    public TaskEvent.Failure failure() {
        return new TaskEvent.Failure(kind.reason.name(), message, kind.givenBack);
    }
}
