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
 * Which ends an idempotency key stands for. All but failures before any run: nothing was paid for these, and the work is still to
 * be done. A cancellation is kept also without a run: somebody does not want the work.
 */
final class KeptEnd {
    /** A worker had the task, though no event tells of a run. */
    private static final Set<String> TAKEN = Set.of(StopReason.MAY_HAVE_RUN, "MaxDeliveriesExceeded");

    private KeptEnd() {}

    /** @param before the status that does not tell this end yet */
    static boolean isKept(AgentTaskStatus before, TaskEvent end) {
        return end.kind() != TaskEvent.Kind.FAILED
                || TAKEN.contains(end.failureType())
                || end.delivery() > 0
                || !end.worker().isEmpty()
                || hasBegun(before);
    }

    /** The end that a task's status tells, if its key stands for it; also one that it took over itself. */
    static Optional<TaskEvent> toldBy(AgentTask task) {
        final boolean adopted = Conditions.find(task.statusOrUnobserved().conditions(), "Finished")
                .filter(finished -> Reason.Adopted.name().equals(finished.getReason()))
                .isPresent();
        return StatusToEvent.end(task).filter(end -> adopted || isKept(task.statusOrUnobserved(), end));
    }

    /** Some attempt was run, to its end or not. */
    static boolean hasBegun(AgentTaskStatus status) {
        return !status.podName().isEmpty()
                || status.history().stream().anyMatch(entry -> entry.podName() != null || entry.startTime() != null);
    }

    /**
     * Whether a task whose resource is gone had come to this end by itself; else it was deleted in the middle, and what is created
     * under its key does the work.
     *
     * @param last its last event
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
     * Another's claim yields to a success only. An end that stands yields to what was run since: a rerun that ends before it
     * has begun tells nothing new of the work.
     */
    static boolean mayReplace(LedgerRecord found, AgentTask task, TaskEvent end) {
        if (end.kind() == TaskEvent.Kind.COMPLETED) {
            return true;
        }
        return found.outcome() == null ? found.uid().equals(task.uid()) : hasRun(task, end);
    }

    /** Since the task was created, or run again. */
    private static boolean hasRun(AgentTask task, TaskEvent end) {
        final AgentTaskStatus status = task.statusOrUnobserved();
        return end.delivery() > 0
                || (!task.isRerunRequested() && (status.failedAttempts() > 0 || status.startTime() != null));
    }
}
