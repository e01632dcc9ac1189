package dev.codeforge.operator.task.status;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.wire.TaskEvent;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Builds the terminal event for an end that no stored event reports: the reverse of {@link EventToStatus}. */
public final class StatusToEvent {
    private StatusToEvent() {}

    /** The end of a task without a published or running attempt. */
    public static TaskEvent between(AgentTask task, StatusTransition.Closed closed, Instant at) {
        final TaskEvent.Kind kind = closed.cancelled() ? TaskEvent.Kind.CANCELLED : TaskEvent.Kind.FAILED;
        return event(task, kind, at, null, closed.failure());
    }

    /** The end that the task's status reports; empty while the task has not ended. */
    public static Optional<TaskEvent> end(AgentTask task) {
        final AgentTaskStatus status = task.statusOrUnobserved();
        if (status.phase() == null || status.completionTime() == null) {
            return Optional.empty();
        }
        final AgentTaskStatus.@Nullable Failure error = status.error();
        final TaskEvent.@Nullable Failure failure = error == null
                ? null
                : new TaskEvent.Failure(error.type(), error.message(), Boolean.TRUE.equals(error.retryable()));
        return kind(status).map(kind -> event(task, kind, status.completionTime(), status.result(), failure));
    }

    private static Optional<TaskEvent.Kind> kind(AgentTaskStatus status) {
        return switch (status.phase()) {
            case Succeeded -> Optional.of(TaskEvent.Kind.COMPLETED);
            case Failed -> Optional.of(TaskEvent.Kind.FAILED);
            case Cancelled -> Optional.of(TaskEvent.Kind.CANCELLED);
            case Pending, Queued, Running, Retrying, Suspended, Unknown -> Optional.empty();
        };
    }

    private static TaskEvent event(
            AgentTask task,
            TaskEvent.Kind kind,
            Instant at,
            AgentTaskStatus.@Nullable Result result,
            TaskEvent.@Nullable Failure failure) {
        final AgentTaskStatus status = task.statusOrUnobserved();
        final Optional<AgentTaskStatus.Usage> usage = Optional.ofNullable(status.usage());
        final int attempt = Math.max(1, status.attempts());
        return new TaskEvent(
                task.uid(),
                task.getSpec().projectID(),
                switch (kind) {
                    case COMPLETED -> "completed";
                    case CANCELLED -> "cancelled";
                    default -> "failed";
                },
                kind,
                // The same id each time that the event is built.
                task.uid() + "-" + attempt + "-ended",
                attempt,
                // The event reports no run: the status has the history of earlier runs.
                0,
                "",
                0,
                "",
                at,
                null,
                at,
                result == null || result.output() == null ? "" : result.output(),
                result == null || result.files() == null ? List.of() : result.files(),
                failure == null ? "" : failure.message(),
                usage.map(AgentTaskStatus.Usage::tokensIn).orElse(0L),
                usage.map(AgentTaskStatus.Usage::tokensOut).orElse(0L),
                usage.map(used -> BudgetCheck.money(used.costUSD())).orElse(BigDecimal.ZERO),
                usage.map(used -> new TaskEvent.Usage(used.tokensIn(), used.tokensOut(), used.costUSD()))
                        .orElse(new TaskEvent.Usage(0, 0, "0")),
                result == null ? null : result(result),
                failure,
                null);
    }

    private static TaskEvent.Result result(AgentTaskStatus.Result told) {
        final AgentTaskStatus.@Nullable GitResult git = told.git();
        return new TaskEvent.Result(
                told.summary(),
                told.filesTotal() == null ? 0 : told.filesTotal(),
                git == null ? null : new TaskEvent.Git(git.baseCommit(), git.branch(), git.commit(), git.pushed()),
                told.artifacts() == null
                        ? null
                        : told.artifacts().stream()
                                .map(left ->
                                        new TaskEvent.Artifact(left.name(), left.size(), left.digest(), left.object()))
                                .toList(),
                null,
                told.artifactsProblem());
    }
}
