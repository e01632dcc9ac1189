package dev.codeforge.operator.task;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskSpec.DeliveryMode;
import dev.codeforge.wire.TaskEvent;
import java.util.Optional;

/** What a task's runs have saved for the next one: kept in its events, handed on in the message of the next attempt. */
final class Checkpoints {
    private Checkpoints() {}

    /** What the attempt after the last event goes on from. */
    static Optional<String> carriedOn(AgentTask task, Optional<TaskEvent> last) {
        return task.getSpec().delivery() == DeliveryMode.AtLeastOnce && !task.isRerunRequested()
                ? last.filter(event -> isContinued(task, event)).map(TaskEvent::checkpoint)
                : Optional.empty();
    }

    /** A failure is followed by a retry or by a rerun; only after a retry do the task's failures count on. */
    private static boolean isContinued(AgentTask task, TaskEvent event) {
        return switch (event.kind()) {
            case RUNNING, PROGRESS, RELEASED -> true;
            case FAILED -> TaskDeadlines.statusOf(task).failedAttempts() > 0;
            case CANCELLED -> event.failureType().equals(StopReason.SUSPENDED);
            case COMPLETED -> false;
        };
    }
}
