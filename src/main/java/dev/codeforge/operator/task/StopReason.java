package dev.codeforge.operator.task;

import dev.codeforge.operator.status.Reason;
import dev.codeforge.wire.TaskEvent;
import java.time.Instant;

/**
 * Why an attempt is ended by the operator, not by its worker.
 *
 * @param type of the failure in the terminal event
 * @param asking reason of the condition while the worker is asked to stop
 */
record StopReason(TaskEvent.Kind kind, String type, String message, boolean retryable, Reason asking) {
    static final String SUSPENDED = "Suspended";
    static final String CANCELLED = "Cancelled";
    static final String QUEUE_TIMEOUT = "QueueTimeout";
    static final String NOT_AFTER_PASSED = "NotAfterPassed";
    static final String RUN_TIMEOUT = "RunTimeout";
    static final String MAY_HAVE_RUN = "MayHaveRun";
    static final String BUDGET_EXCEEDED = "BudgetExceeded";
    static final String TASK_DELETED = "TaskDeleted";
    private static final String TASK_TOO_LARGE = "TaskTooLarge";

    static StopReason cancelled() {
        return new StopReason(
                TaskEvent.Kind.CANCELLED, CANCELLED, "spec.cancel was set to true", false, Reason.Cancelling);
    }

    static StopReason suspended() {
        return new StopReason(
                TaskEvent.Kind.CANCELLED, SUSPENDED, "spec.suspend was set to true", false, Reason.Suspending);
    }

    static StopReason queueTimeout(int seconds) {
        return new StopReason(
                TaskEvent.Kind.FAILED,
                QUEUE_TIMEOUT,
                "no worker took the task within " + seconds
                        + " s: see whether the pool has workers, or raise queueTimeoutSeconds",
                false,
                Reason.TimingOut);
    }

    static StopReason notAfter(Instant limit) {
        return new StopReason(
                TaskEvent.Kind.FAILED,
                NOT_AFTER_PASSED,
                "no attempt begins after spec.notAfter, " + limit
                        + ": create the task anew with a later one, or without, if the work is still wanted",
                false,
                Reason.TimingOut);
    }

    static StopReason tooLarge(long bytes, long most) {
        return new StopReason(
                TaskEvent.Kind.FAILED,
                TASK_TOO_LARGE,
                "the task's message has " + bytes + " bytes and NATS takes " + most
                        + ": shorten prompt and config, of the task and of the pool's taskDefaults, or raise max_payload"
                        + " of NATS, then create the task again",
                false,
                Reason.TaskTooLarge);
    }

    static StopReason runTimeout(int seconds) {
        return new StopReason(
                TaskEvent.Kind.FAILED,
                RUN_TIMEOUT,
                "the run took longer than " + seconds + " s and its worker did not stop it: raise runTimeoutSeconds, or"
                        + " ask for less",
                true,
                Reason.TimingOut);
    }

    static StopReason mayHaveRun() {
        return new StopReason(
                TaskEvent.Kind.FAILED,
                MAY_HAVE_RUN,
                "the task may have run and its outcome is lost; delivery AtMostOnce never runs it again. Look at what it"
                        + " did, then give spec.rerun a new value to run it again",
                false,
                Reason.TimingOut);
    }

    /** @param why the failure that says that the budget is used */
    static StopReason budgetExceeded(TaskEvent.Failure why) {
        return new StopReason(TaskEvent.Kind.FAILED, BUDGET_EXCEEDED, why.message(), false, Reason.BudgetExceeded);
    }

    /** @param loss caused by the run itself */
    static StopReason lost(WorkerLoss loss) {
        final TaskEvent.Failure failure = loss.failure();
        return new StopReason(
                TaskEvent.Kind.FAILED, failure.type(), failure.message(), failure.retryable(), Reason.TimingOut);
    }

    TaskEvent.Failure failure() {
        return new TaskEvent.Failure(type, message, retryable);
    }
}
