package dev.codeforge.operator.task.admission;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Retry;
import dev.codeforge.operator.results.DeletedTaskEnd;
import dev.codeforge.operator.status.Conditions;
import dev.codeforge.operator.status.Reason;
import dev.codeforge.operator.task.status.RetryRule;
import dev.codeforge.operator.task.status.StatusToEvent;
import dev.codeforge.operator.task.status.StopReason;
import dev.codeforge.wire.LedgerRecord;
import dev.codeforge.wire.TaskEvent;
import java.util.Optional;
import java.util.Set;

/**
 * Decides which ends the ledger records under an idempotency key: all but failures before any run. Such a failure cost
 * nothing, and the work is still to be done. A cancellation is recorded also without a run, because a person decided
 * against the work.
 */
final class KeptEnd {
    /** Failures of tasks that a worker had, although no event reports a run. */
    private static final Set<String> TAKEN = Set.of(StopReason.MAY_HAVE_RUN, "MaxDeliveriesExceeded");

    private KeptEnd() {}

    /** @param before the status before it shows this end */
    static boolean isKept(AgentTaskStatus before, TaskEvent end) {
        return end.kind() != TaskEvent.Kind.FAILED
                || TAKEN.contains(end.failureType())
                || end.delivery() > 0
                || !end.worker().isEmpty()
                || hasBegun(before);
    }

    /** The end in a task's status, if the ledger records it under the key; also an end that the task itself adopted. */
    static Optional<TaskEvent> toldBy(AgentTask task) {
        final boolean adopted = Conditions.find(task.statusOrUnobserved().conditions(), "Finished")
                .filter(finished -> Reason.Adopted.name().equals(finished.getReason()))
                .isPresent();
        return StatusToEvent.end(task).filter(end -> adopted || isKept(task.statusOrUnobserved(), end));
    }

    /** True if a run of any attempt has begun. */
    static boolean hasBegun(AgentTaskStatus status) {
        return !status.podName().isEmpty()
                || status.history().stream().anyMatch(entry -> entry.podName() != null || entry.startTime() != null);
    }

    /**
     * True if a deleted task had ended by itself with this event. Otherwise it was deleted before its end, and the next
     * task with its key does the work.
     *
     * @param last the task's last event
     */
    static boolean ofDeleted(TaskEvent last, Retry retry) {
        return switch (last.kind()) {
            case COMPLETED -> true;
            case CANCELLED ->
                !last.failureType().equals(DeletedTaskEnd.DELETED.type())
                        && !last.failureType().equals(StopReason.SUSPENDED);
            case FAILED ->
                isKept(AgentTaskStatus.unobserved(), last) && !RetryRule.isRetried(last, retry, last.attempt());
            default -> false;
        };
    }

    /**
     * Another task's claim is replaced only by a success. A recorded end is replaced by the end of a later run: a rerun
     * that ended before it began does not change the state of the work.
     */
    static boolean mayReplace(LedgerRecord found, AgentTask task, TaskEvent end) {
        if (end.kind() == TaskEvent.Kind.COMPLETED) {
            return true;
        }
        return found.outcome() == null ? found.uid().equals(task.uid()) : hasRun(task, end);
    }

    /** True if the task has run since it was created, or since its last rerun. */
    private static boolean hasRun(AgentTask task, TaskEvent end) {
        final AgentTaskStatus status = task.statusOrUnobserved();
        return end.delivery() > 0
                || (!task.isRerunRequested() && (status.failedAttempts() > 0 || status.startTime() != null));
    }
}
