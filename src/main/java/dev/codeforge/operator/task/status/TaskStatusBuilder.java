package dev.codeforge.operator.task.status;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.operator.status.Reason;
import dev.codeforge.operator.status.ReconcileError;
import dev.codeforge.operator.time.Clocks;
import dev.codeforge.wire.TaskEvent;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Builds the status from the spec, the previous status and the transition. The same input gives the same status. */
public final class TaskStatusBuilder {
    /** How often the answers of a holder that stops are written. */
    private static final Duration ACCEPTED_AGAIN = Duration.ofSeconds(15);

    private final Clock clock;
    private final TaskConditions conditions;

    public TaskStatusBuilder(Clocks clocks) {
        this.clock = clocks.nats();
        // No deadline depends on a condition's time, and a condition must be possible before NATS has ever answered.
        this.conditions = new TaskConditions(clocks.own());
    }

    public AgentTaskStatus build(AgentTask task, Optional<WorkerPool> pool, StatusTransition view) {
        final AgentTaskStatus before = task.statusOrUnobserved();
        final StatusDraft draft = new StatusDraft(before);
        draft.conditions = conditions.reconciled(task, draft.conditions);
        switch (view) {
            case StatusTransition.Unchanged ignored -> {}
            case StatusTransition.Troubled troubled -> troubled(task, draft, troubled.error());
            case StatusTransition.Waiting waiting -> waiting(task, before, draft, waiting);
            case StatusTransition.Queued queued -> queued(task, before, draft, queued);
            case StatusTransition.Running running -> running(task, before, draft, running.event());
            case StatusTransition.Stopping stopping -> stopping(task, before, draft, stopping);
            case StatusTransition.Retrying retrying -> retrying(task, before, draft, retrying);
            case StatusTransition.Suspended suspended -> suspended(task, before, draft, suspended.event());
            case StatusTransition.Ended ended -> ended(task, before, draft, ended.event());
            case StatusTransition.Closed closed -> closed(task, before, draft, closed);
            case StatusTransition.Adopted adopted -> adopted(task, before, draft, adopted);
        }
        final boolean publishedNow =
                !(view instanceof StatusTransition.Unchanged) && pool.isPresent() && draft.attempts > 0;
        if (draft.effective != null || publishedNow) {
            draft.effective = EffectiveSettings.of(task, pool);
        }
        final boolean firstSeen = before.observedGeneration() < 0 && !(view instanceof StatusTransition.Unchanged);
        if (firstSeen || task.getSpec().rerun().isEmpty()) {
            // A removed token may be set again, and then counts as new.
            draft.rerun = task.getSpec().rerun();
        }
        draft.message = TaskConditions.message(draft.conditions);
        draft.observedGeneration = TaskConditions.generation(task);
        return draft.build();
    }

    /** An unpublished task becomes Pending with this reason; a published one keeps its phase. */
    private void troubled(AgentTask task, StatusDraft draft, ReconcileError error) {
        if (draft.phase == null || draft.phase == Phase.Pending) {
            draft.phase = Phase.Pending;
            draft.conditions = conditions.underWay(task, error.reason().name(), error.message());
        }
        draft.conditions = conditions.failed(task, draft.conditions, error);
    }

    /**
     * The minimal status for when the API server refuses the whole one: the fields that decide, and no text from a
     * worker.
     */
    public AgentTaskStatus smallest(AgentTask task, AgentTaskStatus refused, String why) {
        final StatusDraft draft = new StatusDraft(refused);
        draft.conditions = conditions.smallest(task, refused.conditions(), why);
        draft.podName = "";
        draft.message = Reason.StatusRefused.sentence();
        draft.history =
                refused.history().stream().map(TaskStatusBuilder::smallest).toList();
        draft.result = null;
        draft.error = smallest(refused.error());
        return draft.build();
    }

    private static AgentTaskStatus.HistoryEntry smallest(AgentTaskStatus.HistoryEntry entry) {
        return new AgentTaskStatus.HistoryEntry(
                entry.attempt(),
                null,
                entry.startTime(),
                entry.completionTime(),
                entry.outcome(),
                smallest(entry.error()));
    }

    private static AgentTaskStatus.@Nullable Failure smallest(AgentTaskStatus.@Nullable Failure error) {
        return error == null
                ? null
                : new AgentTaskStatus.Failure(error.type(), Reason.StatusRefused.sentence(), error.retryable());
    }

    private void waiting(AgentTask task, AgentTaskStatus before, StatusDraft draft, StatusTransition.Waiting view) {
        begin(task, before, draft);
        draft.phase = Phase.Pending;
        draft.conditions = conditions.underWay(task, view.reason().name(), view.message());
    }

    private void queued(AgentTask task, AgentTaskStatus before, StatusDraft draft, StatusTransition.Queued view) {
        begin(task, before, draft);
        final Reason reason = view.event().isPresent() ? Reason.Released : Reason.Queued;
        final String why = view.event()
                .map(TaskEvent::failure)
                .map(failure -> " " + failure.type() + ": " + failure.message() + ".")
                .orElse("");
        final boolean newAttempt = view.attempt() > before.attempts();
        draft.phase = Phase.Queued;
        draft.conditions = conditions.underWay(task, reason.name(), reason.sentence() + why);
        draft.attempts = Math.max(before.attempts(), view.attempt());
        draft.deliveries = view.event()
                .map(event -> EventToStatus.deliveries(before, event))
                .orElse(newAttempt ? 0 : before.deliveries());
        draft.queue = new AgentTaskStatus.QueuePosition(view.stream(), view.sequence());
        draft.queuedTime = newAttempt || before.queuedTime() == null ? now() : before.queuedTime();
        view.event().ifPresent(given -> {
            // A released run waits again from this moment.
            draft.nextAttemptTime = millis(given.time());
            draft.history = EventToStatus.givenBack(before, given, millis(given.time()));
            draft.usage = EventToStatus.usage(before, given);
        });
    }

    private void running(AgentTask task, AgentTaskStatus before, StatusDraft draft, TaskEvent event) {
        final boolean told = before.phase() == Phase.Running
                && before.stopRequestedTime() == null
                && before.podName().equals(event.worker())
                && before.attempts() == event.attempt()
                && before.deliveries() == event.delivery();
        if (told) {
            // Progress alone is not worth a write: it is published on results.<uid>.
            return;
        }
        begin(task, before, draft);
        draft.phase = Phase.Running;
        draft.conditions =
                conditions.underWay(task, Reason.Running.name(), "Worker " + event.worker() + " runs the task.");
        draft.attempts = Math.max(before.attempts(), event.attempt());
        draft.deliveries = EventToStatus.deliveries(before, event);
        draft.podName = event.worker();
        draft.queue = EventToStatus.position(before, event);
        draft.queuedTime = queuedTime(before, event);
        draft.startTime = EventToStatus.started(before, Optional.of(event))
                .map(TaskStatusBuilder::millis)
                .orElseGet(this::now);
        draft.usage = EventToStatus.usage(before, event);
    }

    private void stopping(AgentTask task, AgentTaskStatus before, StatusDraft draft, StatusTransition.Stopping view) {
        final boolean told = before.phase() == Phase.Running
                && view.event()
                        .map(TaskEvent::attempt)
                        .orElse(before.attempts())
                        .equals(before.attempts());
        if (told && before.stopRequestedTime() != null) {
            // Not at each of its answers: the holder may be silent for more than twice as long.
            if (view.accepted() && !now().isBefore(before.stopRequestedTime().plus(ACCEPTED_AGAIN))) {
                draft.stopRequestedTime = now();
            }
            return;
        }
        // The run may have started since the last status write.
        view.event().ifPresent(event -> running(task, before, draft, event));
        final StopReason stop = view.stop();
        draft.stopRequestedTime = now();
        draft.conditions = conditions.underWay(
                task,
                stop.asking().name(),
                stop.asking().meaning() + " " + stop.message() + ". Worker " + draft.podName + " is asked to stop.");
    }

    private void retrying(AgentTask task, AgentTaskStatus before, StatusDraft draft, StatusTransition.Retrying view) {
        final TaskEvent event = view.event();
        begin(task, before, draft);
        endAttempt(before, draft, event, Phase.Failed, EventToStatus.failure(event, Phase.Failed));
        draft.phase = Phase.Retrying;
        draft.failedAttempts++;
        draft.nextAttemptTime = millis(view.next());
        draft.error = EventToStatus.failure(event, Phase.Failed);
        draft.conditions = conditions.underWay(
                task,
                Reason.Retrying.name(),
                "Attempt " + event.attempt() + " failed with " + draft.error.type() + ": " + draft.error.message()
                        + ". The next is due at " + draft.nextAttemptTime + ".");
    }

    private void suspended(AgentTask task, AgentTaskStatus before, StatusDraft draft, Optional<TaskEvent> event) {
        begin(task, before, draft);
        event.ifPresent(ended -> endAttempt(before, draft, ended, Phase.Suspended, null));
        draft.phase = Phase.Suspended;
        draft.nextAttemptTime = null;
        draft.conditions = conditions.suspended(task);
    }

    private void ended(AgentTask task, AgentTaskStatus before, StatusDraft draft, TaskEvent event) {
        final Phase outcome = EventToStatus.outcome(event);
        final AgentTaskStatus.@Nullable Failure error = EventToStatus.failure(event, outcome);
        begin(task, before, draft);
        endAttempt(before, draft, event, outcome, error);
        draft.phase = outcome;
        draft.failedAttempts += outcome == Phase.Failed ? 1 : 0;
        draft.completionTime = event.completionTime() == null ? now() : millis(event.completionTime());
        draft.result = EventToStatus.result(event);
        draft.error = error;
        draft.conditions = conditions.outcome(
                task,
                outcome,
                error == null ? Reason.Succeeded.name() : error.type(),
                error == null ? "The agent finished." : said(outcome, error));
    }

    /** A worker may end a run without a message. */
    private static String said(Phase outcome, AgentTaskStatus.Failure error) {
        if (!error.message().isBlank()) {
            return error.message();
        }
        return outcome == Phase.Cancelled ? Reason.Cancelled.meaning() : "The run ended with " + error.type() + ".";
    }

    private void closed(AgentTask task, AgentTaskStatus before, StatusDraft draft, StatusTransition.Closed view) {
        begin(task, before, draft);
        draft.phase = view.cancelled() ? Phase.Cancelled : Phase.Failed;
        draft.completionTime = now();
        draft.error = new AgentTaskStatus.Failure(
                view.failure().type(), view.failure().message(), view.failure().retryable());
        draft.conditions = conditions.outcome(
                task, draft.phase, view.failure().type(), view.failure().message());
    }

    private void adopted(AgentTask task, AgentTaskStatus before, StatusDraft draft, StatusTransition.Adopted view) {
        final Phase outcome = EventToStatus.outcome(view.event());
        begin(task, before, draft);
        draft.phase = outcome;
        draft.completionTime = now();
        draft.result = EventToStatus.result(view.event());
        draft.error = EventToStatus.failure(view.event(), outcome);
        draft.conditions = conditions.outcome(task, outcome, Reason.Adopted.name(), adopted(view, draft.error));
    }

    /** The usage stays the earlier task's: whoever adds up what tasks have used would count it twice. */
    private static String adopted(StatusTransition.Adopted view, AgentTaskStatus.@Nullable Failure error) {
        final String at = " at " + millis(view.event().time()) + " under the same idempotencyKey";
        final String taken = " Its end is taken over, nothing was run. ";
        if (error == null) {
            return "AgentTask " + view.owner() + " did this work" + at + "." + taken + Reason.Adopted.remedy();
        }
        final String how = view.event().kind() == TaskEvent.Kind.CANCELLED ? " was cancelled" : " failed";
        return "AgentTask " + view.owner() + how + at + " (" + error.type() + ": " + error.message() + ")." + taken
                + Reason.Adopted.remedy();
    }

    /** Clears an earlier end: the task continues after a suspension, a failure, or for a rerun. */
    private void begin(AgentTask task, AgentTaskStatus before, StatusDraft draft) {
        draft.stopRequestedTime = null;
        draft.completionTime = null;
        draft.result = null;
        draft.error = null;
        final boolean rerun = task.isRerunRequested();
        if (rerun) {
            draft.rerun = task.getSpec().rerun();
            draft.failedAttempts = 0;
            draft.usageAtRerun = before.usage() == null ? BudgetCheck.NOTHING : before.usage();
        }
        if (rerun || before.phase() == Phase.Suspended) {
            draft.nextAttemptTime = now();
            draft.startTime = null;
        }
    }

    private void endAttempt(
            AgentTaskStatus before,
            StatusDraft draft,
            TaskEvent event,
            Phase outcome,
            AgentTaskStatus.@Nullable Failure error) {
        final Instant start = event.startTime() == null
                ? null
                : EventToStatus.started(before, Optional.of(event))
                        .map(TaskStatusBuilder::millis)
                        .orElse(null);
        final Instant completion = event.completionTime() == null ? now() : millis(event.completionTime());
        draft.attempts = Math.max(before.attempts(), event.attempt());
        draft.deliveries = EventToStatus.deliveries(before, event);
        draft.history = EventToStatus.history(before, event, outcome, start, completion, error);
        draft.podName = event.worker().isEmpty() ? before.podName() : event.worker();
        draft.queue = EventToStatus.position(before, event);
        draft.queuedTime = queuedTime(before, event);
        draft.startTime = start == null && event.attempt() == before.attempts() ? before.startTime() : start;
        draft.usage = EventToStatus.usage(before, event);
    }

    /** The start time if no status has a queued time: the worker was faster than the first status. */
    private Instant queuedTime(AgentTaskStatus before, TaskEvent event) {
        if (before.queuedTime() != null && before.attempts() >= event.attempt()) {
            return before.queuedTime();
        }
        return event.startTime() == null ? now() : millis(event.startTime());
    }

    private Instant now() {
        return millis(clock.instant());
    }

    private static Instant millis(Instant instant) {
        return instant.truncatedTo(ChronoUnit.MILLIS);
    }
}
