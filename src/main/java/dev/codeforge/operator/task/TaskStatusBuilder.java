package dev.codeforge.operator.task;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.operator.status.Conditions;
import dev.codeforge.operator.status.Reason;
import dev.codeforge.wire.TaskEvent;
import io.fabric8.kubernetes.api.model.Condition;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The status as a function of spec, status so far and what is to be said; the same input gives the same status. */
final class TaskStatusBuilder {
    private static final int HISTORY = 10;
    private static final java.util.regex.Pattern REASON = java.util.regex.Pattern.compile("[A-Z][A-Za-z0-9]{0,63}");
    /** Failures whose message was put aside by whoever ended the attempt. */
    private static final Set<String> DEAD_LETTERED = Set.of("MaxDeliveriesExceeded", "PoolDeleted");

    private final Clock clock;

    TaskStatusBuilder(Clock clock) {
        this.clock = clock;
    }

    AgentTaskStatus build(AgentTask task, Optional<WorkerPool> pool, TaskView view) {
        final AgentTaskStatus before = task.observedStatus().orElseGet(AgentTaskStatus::unobserved);
        return switch (view) {
            case TaskView.Unchanged ignored -> before;
            case TaskView.Waiting waiting -> waiting(task, before, waiting);
            case TaskView.Queued queued -> queued(task, pool, before, queued);
            case TaskView.Running running -> running(task, pool, before, running.event());
            case TaskView.Ended ended -> ended(task, pool, before, ended.event());
        };
    }

    private AgentTaskStatus waiting(AgentTask task, AgentTaskStatus before, TaskView.Waiting view) {
        return new AgentTaskStatus(
                generation(task),
                Phase.Pending,
                underWay(task, before, view.reason().name(), view.message()),
                before.attempts(),
                before.deliveries(),
                before.history(),
                before.podName(),
                before.queue(),
                before.queuedTime(),
                before.startTime(),
                null,
                before.effective(),
                null,
                before.usage(),
                null);
    }

    private AgentTaskStatus queued(
            AgentTask task, Optional<WorkerPool> pool, AgentTaskStatus before, TaskView.Queued view) {
        final Reason reason = view.event().isPresent() ? Reason.Released : Reason.Queued;
        return new AgentTaskStatus(
                generation(task),
                Phase.Queued,
                underWay(task, before, reason.name(), reason.sentence()),
                Math.max(before.attempts(), view.attempt()),
                view.event().map(TaskEvent::delivery).orElse(before.deliveries()),
                before.history(),
                before.podName(),
                new AgentTaskStatus.QueuePosition(view.stream(), view.sequence()),
                before.queuedTime() == null ? now() : before.queuedTime(),
                before.startTime(),
                null,
                effective(task, pool, before),
                null,
                view.event().map(TaskStatusBuilder::usage).orElse(before.usage()),
                null);
    }

    private AgentTaskStatus running(
            AgentTask task, Optional<WorkerPool> pool, AgentTaskStatus before, TaskEvent event) {
        final boolean told = before.phase() == Phase.Running
                && before.podName().equals(event.worker())
                && before.attempts() == event.attempt()
                && before.deliveries() == event.delivery();
        if (told) {
            // Progress alone is not worth a write: it is streamed on results.<uid>.
            return before;
        }
        return new AgentTaskStatus(
                generation(task),
                Phase.Running,
                underWay(task, before, Reason.Running.name(), "Worker " + event.worker() + " runs the task."),
                Math.max(before.attempts(), event.attempt()),
                event.delivery(),
                before.history(),
                event.worker(),
                position(before, event),
                before.queuedTime() == null ? now() : before.queuedTime(),
                event.startTime() == null ? now() : millis(event.startTime()),
                null,
                effective(task, pool, before),
                null,
                usage(event),
                null);
    }

    private AgentTaskStatus ended(AgentTask task, Optional<WorkerPool> pool, AgentTaskStatus before, TaskEvent event) {
        final Phase outcome =
                switch (event.kind()) {
                    case COMPLETED -> Phase.Succeeded;
                    case CANCELLED -> Phase.Cancelled;
                    default -> Phase.Failed;
                };
        final Instant completion = event.completionTime() == null ? now() : millis(event.completionTime());
        final AgentTaskStatus.@Nullable Failure error = failure(event, outcome);
        final Instant start = event.startTime() == null ? before.startTime() : millis(event.startTime());
        return new AgentTaskStatus(
                generation(task),
                outcome,
                outcome(task, before, outcome, error),
                Math.max(before.attempts(), event.attempt()),
                event.delivery(),
                history(before, event, outcome, start, completion, error),
                event.worker().isEmpty() ? before.podName() : event.worker(),
                position(before, event),
                before.queuedTime() == null ? (start == null ? now() : start) : before.queuedTime(),
                start,
                completion,
                effective(task, pool, before),
                result(event),
                usage(event),
                error);
    }

    private List<Condition> underWay(AgentTask task, AgentTaskStatus before, String reason, String message) {
        return new Conditions(before.conditions(), generation(task), clock.instant())
                .set("Ready", false, reason, message)
                .set("Reconciling", true, reason, message)
                .set("Stalled", false, reason, "")
                .list();
    }

    private List<Condition> outcome(
            AgentTask task, AgentTaskStatus before, Phase outcome, AgentTaskStatus.@Nullable Failure error) {
        final boolean succeeded = outcome == Phase.Succeeded;
        final String reason = error == null ? Reason.Succeeded.name() : error.type();
        final String message = error == null ? "The agent finished." : error.message();
        final Conditions conditions = new Conditions(before.conditions(), generation(task), clock.instant())
                .set("Ready", succeeded, reason, message)
                .set("Reconciling", false, reason, "")
                .set("Stalled", !succeeded, reason, succeeded ? "" : message)
                .set(succeeded ? "Complete" : "Failed", true, reason, message)
                .set("Finished", true, reason, message);
        if (error != null && DEAD_LETTERED.contains(error.type())) {
            conditions.set("DeadLettered", true, reason, "The task's message is kept in the stream DEADLETTERS.");
        }
        return conditions.list();
    }

    private static AgentTaskStatus.@Nullable Failure failure(TaskEvent event, Phase outcome) {
        if (outcome == Phase.Succeeded) {
            return null;
        }
        if (event.failure() == null) {
            return new AgentTaskStatus.Failure(outcome.name(), event.error(), false);
        }
        final String type = REASON.matcher(event.failure().type()).matches()
                ? event.failure().type()
                : "AgentFailed";
        return new AgentTaskStatus.Failure(
                type, event.failure().message(), event.failure().retryable());
    }

    private static List<AgentTaskStatus.HistoryEntry> history(
            AgentTaskStatus before,
            TaskEvent event,
            Phase outcome,
            @Nullable Instant start,
            Instant completion,
            AgentTaskStatus.@Nullable Failure error) {
        final List<AgentTaskStatus.HistoryEntry> entries = new ArrayList<>(before.history());
        entries.add(new AgentTaskStatus.HistoryEntry(
                event.attempt(), event.worker().isEmpty() ? null : event.worker(), start, completion, outcome, error));
        return entries.subList(Math.max(0, entries.size() - HISTORY), entries.size());
    }

    private static AgentTaskStatus.@Nullable QueuePosition position(AgentTaskStatus before, TaskEvent event) {
        return event.stream().isEmpty()
                ? before.queue()
                : new AgentTaskStatus.QueuePosition(event.stream(), event.sequence());
    }

    private static AgentTaskStatus.@Nullable Effective effective(
            AgentTask task, Optional<WorkerPool> pool, AgentTaskStatus before) {
        return before.effective() != null
                ? before.effective()
                : pool.map(found -> TaskMessages.effective(task, found)).orElse(null);
    }

    private static AgentTaskStatus.Usage usage(TaskEvent event) {
        return event.usage() == null
                ? new AgentTaskStatus.Usage(
                        event.tokensIn(), event.tokensOut(), event.costUsd().toPlainString())
                : new AgentTaskStatus.Usage(
                        event.usage().tokensIn(),
                        event.usage().tokensOut(),
                        event.usage().costUsd());
    }

    private static AgentTaskStatus.Result result(TaskEvent event) {
        final TaskEvent.@Nullable Result result = event.result();
        final TaskEvent.@Nullable Git git = result == null ? null : result.git();
        return new AgentTaskStatus.Result(
                result == null ? null : result.summary(),
                event.output().isEmpty() ? null : event.output(),
                git == null
                        ? null
                        : new AgentTaskStatus.GitResult(git.baseCommit(), git.branch(), git.commit(), git.pushed()),
                event.files().isEmpty() ? null : event.files(),
                result == null || result.filesTotal() == 0 ? null : result.filesTotal());
    }

    private static long generation(AgentTask task) {
        return task.getMetadata().getGeneration() == null
                ? 1
                : task.getMetadata().getGeneration();
    }

    private Instant now() {
        return millis(clock.instant());
    }

    private static Instant millis(Instant instant) {
        return instant.truncatedTo(ChronoUnit.MILLIS);
    }
}
