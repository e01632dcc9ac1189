package dev.codeforge.operator.task;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Retry;
import dev.codeforge.wire.LedgerRecord;
import dev.codeforge.wire.TaskEvent;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.List;
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
                !last.failureType().equals(StopReason.TASK_DELETED)
                        && !last.failureType().equals(StopReason.SUSPENDED);
            case FAILED ->
                isKept(AgentTaskStatus.unobserved(), last) && !RetryPolicy.isRetried(last, retry, last.attempt());
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
        final AgentTaskStatus status = TaskDeadlines.statusOf(task);
        return end.delivery() > 0
                || (!task.isRerunRequested() && (status.failedAttempts() > 0 || status.startTime() != null));
    }

    /** The end of a task that had no attempt under way, as an event would tell it. */
    static TaskEvent between(AgentTask task, StatusTransition.Closed closed, Instant at) {
        final AgentTaskStatus status = TaskDeadlines.statusOf(task);
        final Optional<AgentTaskStatus.Usage> usage = Optional.ofNullable(status.usage());
        final int attempt = Math.max(1, status.attempts());
        return new TaskEvent(
                task.uid(),
                task.getSpec().projectID(),
                closed.cancelled() ? "cancelled" : "failed",
                closed.cancelled() ? TaskEvent.Kind.CANCELLED : TaskEvent.Kind.FAILED,
                // The same each time that it is told.
                task.uid() + "-" + attempt + "-ended",
                attempt,
                0,
                "",
                0,
                "",
                at,
                null,
                at,
                "",
                List.of(),
                closed.failure().message(),
                usage.map(AgentTaskStatus.Usage::tokensIn).orElse(0L),
                usage.map(AgentTaskStatus.Usage::tokensOut).orElse(0L),
                usage.map(used -> BudgetCheck.money(used.costUSD())).orElse(BigDecimal.ZERO),
                usage.map(used -> new TaskEvent.Usage(used.tokensIn(), used.tokensOut(), used.costUSD()))
                        .orElse(new TaskEvent.Usage(0, 0, "0")),
                null,
                closed.failure(),
                null);
    }
}
