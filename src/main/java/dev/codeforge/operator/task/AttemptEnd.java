package dev.codeforge.operator.task;

import dev.codeforge.api.AgentTaskSpec.DeliveryMode;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.wire.TaskEvent;
import java.time.Instant;

/** What an attempt's end means for its task: the end of it, another attempt, or a pause. */
final class AttemptEnd {
    private final TaskClocks clocks;

    AttemptEnd(TaskClocks clocks) {
        this.clocks = clocks;
    }

    TaskView of(TaskSnapshot snapshot, TaskEvent event) {
        return switch (event.kind()) {
            case CANCELLED -> cancelled(snapshot, event);
            case FAILED -> failed(snapshot, event);
            default -> new TaskView.Ended(event);
        };
    }

    private static TaskView cancelled(TaskSnapshot snapshot, TaskEvent event) {
        if (!event.failureType().equals(Stop.SUSPENDED)) {
            return new TaskView.Ended(event);
        }
        final boolean mayNotBeginAgain =
                snapshot.task().getSpec().delivery() == DeliveryMode.AtMostOnce && hasBegun(snapshot, event);
        return mayNotBeginAgain
                ? new TaskView.Ended(event.endedBecause(Stop.mayHaveRun().failure()))
                : new TaskView.Suspended(java.util.Optional.of(event));
    }

    /** The results may have been lost since a run was seen. */
    private static boolean hasBegun(TaskSnapshot snapshot, TaskEvent event) {
        return event.delivery() > 0
                || (snapshot.status().attempts() == event.attempt()
                        && snapshot.status().deliveries() > 0);
    }

    private TaskView failed(TaskSnapshot snapshot, TaskEvent event) {
        final AgentTaskStatus.Effective effective = EffectiveSettings.of(snapshot.task(), snapshot.pool());
        final int failures =
                snapshot.task().isRerunRequested() ? 1 : snapshot.status().failedAttempts() + 1;
        final boolean again = event.failure() != null
                && event.failure().retryable()
                && !effective.nonRetryable().contains(event.failureType())
                && failures < effective.maxAttempts()
                && !snapshot.task().getSpec().cancel();
        if (!again) {
            return new TaskView.Ended(event);
        }
        final Instant next = clocks.retryAt(event, effective, failures);
        return new TaskView.Retrying(event, next);
    }
}
