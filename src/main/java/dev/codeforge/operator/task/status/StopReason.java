package dev.codeforge.operator.task.status;

import dev.codeforge.operator.status.Reason;
import dev.codeforge.operator.task.loss.WorkerLoss;
import dev.codeforge.wire.TaskEvent;
import java.time.Instant;

/**
 * Why an attempt is ended by the operator, not by its worker.
 *
 * @param type of the failure in the terminal event
 * @param asking reason of the condition while the worker is asked to stop
 */
public record StopReason(TaskEvent.Kind kind, String type, String message, boolean retryable, Reason asking) {
    public static final String SUSPENDED = "Suspended";
    public static final String CANCELLED = "Cancelled";
    static final String QUEUE_TIMEOUT = "QueueTimeout";
    public static final String NOT_AFTER_PASSED = "NotAfterPassed";
    static final String RUN_TIMEOUT = "RunTimeout";
    public static final String MAY_HAVE_RUN = "MayHaveRun";
    static final String BUDGET_EXCEEDED = "BudgetExceeded";
    private static final String TASK_TOO_LARGE = "TaskTooLarge";

    public static StopReason cancelled() {
        return new StopReason(
                TaskEvent.Kind.CANCELLED, CANCELLED, "spec.cancel was set to true", false, Reason.Cancelling);
    }

    public static StopReason suspended() {
        return new StopReason(
                TaskEvent.Kind.CANCELLED, SUSPENDED, "spec.suspend was set to true", false, Reason.Suspending);
    }

    public static StopReason queueTimeout(int seconds) {
        return new StopReason(
                TaskEvent.Kind.FAILED,
                QUEUE_TIMEOUT,
                "no worker took the task within " + seconds
                        + " s: see whether the pool has workers, or raise queueTimeoutSeconds",
                false,
                Reason.TimingOut);
    }

    public static StopReason notAfter(Instant limit) {
        return new StopReason(
                TaskEvent.Kind.FAILED,
                NOT_AFTER_PASSED,
                "no attempt begins after spec.notAfter, " + limit
                        + ": create the task anew with a later one, or without, if the work is still wanted",
                false,
                Reason.TimingOut);
    }

    public static StopReason tooLarge(long bytes, long most) {
        return new StopReason(
                TaskEvent.Kind.FAILED,
                TASK_TOO_LARGE,
                "the task's message has " + bytes + " bytes and NATS takes " + most
                        + ": shorten prompt and config, of the task and of the pool's taskDefaults, or raise max_payload"
                        + " of NATS, then create the task again",
                false,
                Reason.TaskTooLarge);
    }

    public static StopReason runTimeout(int seconds) {
        return new StopReason(
                TaskEvent.Kind.FAILED,
                RUN_TIMEOUT,
                "the run took longer than " + seconds + " s and its worker did not stop it: raise runTimeoutSeconds, or"
                        + " ask for less",
                true,
                Reason.TimingOut);
    }

    public static StopReason mayHaveRun() {
        return new StopReason(
                TaskEvent.Kind.FAILED,
                MAY_HAVE_RUN,
                "the task may have run and its outcome is lost; delivery AtMostOnce never runs it again. Look at what it"
                        + " did, then give spec.rerun a new value to run it again",
                false,
                Reason.TimingOut);
    }

    /** @param why the failure that says that the budget is used */
    public static StopReason budgetExceeded(TaskEvent.Failure why) {
        return new StopReason(TaskEvent.Kind.FAILED, BUDGET_EXCEEDED, why.message(), false, Reason.BudgetExceeded);
    }

    /** @param loss caused by the run itself */
    public static StopReason lost(WorkerLoss loss) {
        final TaskEvent.Failure failure = loss.failure();
        return new StopReason(
                TaskEvent.Kind.FAILED, failure.type(), failure.message(), failure.retryable(), Reason.TimingOut);
    }

    public TaskEvent.Failure failure() {
        return new TaskEvent.Failure(type, message, retryable);
    }
}
