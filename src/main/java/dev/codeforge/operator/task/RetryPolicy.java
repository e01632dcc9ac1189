package dev.codeforge.operator.task;

import dev.codeforge.api.AgentTaskSpec.DeliveryMode;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.operator.task.status.BudgetCheck;
import dev.codeforge.operator.task.status.EffectiveSettings;
import dev.codeforge.operator.task.status.EventToStatus;
import dev.codeforge.operator.task.status.RetryRule;
import dev.codeforge.operator.task.status.StatusTransition;
import dev.codeforge.operator.task.status.StopReason;
import dev.codeforge.wire.TaskEvent;
import java.time.Instant;
import java.util.Optional;

/** Decides what follows an attempt's end: the task's end, another attempt, or a suspension. */
final class RetryPolicy {
    private final TaskDeadlines deadlines;

    RetryPolicy(TaskDeadlines deadlines) {
        this.deadlines = deadlines;
    }

    StatusTransition of(TaskSnapshot snapshot, TaskEvent event) {
        return switch (event.kind()) {
            case CANCELLED -> cancelled(snapshot, event);
            case FAILED -> failed(snapshot, event);
            default -> new StatusTransition.Ended(event);
        };
    }

    private static StatusTransition cancelled(TaskSnapshot snapshot, TaskEvent event) {
        if (!event.failureType().equals(StopReason.SUSPENDED)) {
            return new StatusTransition.Ended(event);
        }
        final boolean mayNotBeginAgain =
                snapshot.task().getSpec().delivery() == DeliveryMode.AtMostOnce && hasBegun(snapshot, event);
        return mayNotBeginAgain
                ? new StatusTransition.Ended(
                        event.endedBecause(StopReason.mayHaveRun().failure()))
                : new StatusTransition.Suspended(Optional.of(event));
    }

    /** The status counts too, because the results may have been lost since a run was seen. */
    private static boolean hasBegun(TaskSnapshot snapshot, TaskEvent event) {
        return event.delivery() > 0
                || (snapshot.status().attempts() == event.attempt()
                        && snapshot.status().deliveries() > 0);
    }

    private StatusTransition failed(TaskSnapshot snapshot, TaskEvent event) {
        final AgentTaskStatus.Effective effective = EffectiveSettings.of(snapshot.task(), snapshot.pool());
        final int failures =
                snapshot.task().isRerunRequested() ? 1 : snapshot.status().failedAttempts() + 1;
        if (!RetryRule.isRetried(event, effective.retry(), failures)
                || snapshot.task().getSpec().cancel()) {
            return new StatusTransition.Ended(event);
        }
        final AgentTaskStatus.Usage usage = EventToStatus.usage(snapshot.status(), event);
        final Optional<TaskEvent.Failure> exceeded = BudgetCheck.exceeded(snapshot.task(), effective, usage);
        if (exceeded.isPresent()) {
            return new StatusTransition.Ended(event.endedBecause(nothingLeft(exceeded.get(), event)));
        }
        final Instant next = deadlines.retryAt(event, effective, failures);
        if (deadlines.isTooLate(snapshot.task(), next)) {
            return new StatusTransition.Ended(
                    event.endedBecause(tooLate(event, snapshot.task().getSpec().notAfter())));
        }
        return new StatusTransition.Retrying(event, next);
    }

    /** The message says why the failure is the outcome although it is retryable. */
    private static TaskEvent.Failure tooLate(TaskEvent event, Instant limit) {
        return new TaskEvent.Failure(
                event.failureType(),
                event.failure().message() + "; it is not tried again, since no attempt begins after spec.notAfter, "
                        + limit,
                event.failure().retryable());
    }

    /** The message also has the failure: once its cause is fixed, the task may need no larger budget. */
    private static TaskEvent.Failure nothingLeft(TaskEvent.Failure exceeded, TaskEvent event) {
        return new TaskEvent.Failure(
                exceeded.type(),
                "attempt " + event.attempt() + " failed with " + event.failureType() + ": "
                        + event.failure().message() + "; " + exceeded.message(),
                false);
    }
}
