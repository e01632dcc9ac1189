package dev.codeforge.operator.task;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskSpec.DeliveryMode;
import dev.codeforge.operator.task.status.StopReason;
import dev.codeforge.wire.TaskEvent;
import java.util.Optional;

/**
 * Checkpoints of a task's runs. They are kept in the task's events and passed on in the message of the next attempt.
 */
final class Checkpoints {
    private Checkpoints() {}

    /** The checkpoint that the attempt after the last event continues from. */
    static Optional<String> carriedOn(AgentTask task, Optional<TaskEvent> last) {
        return task.getSpec().delivery() == DeliveryMode.AtLeastOnce && !task.isRerunRequested()
                ? last.filter(event -> isContinued(task, event)).map(TaskEvent::checkpoint)
                : Optional.empty();
    }

    /** After a failure, a retry continues from the checkpoint and a rerun does not; only a retry has counted failures. */
    private static boolean isContinued(AgentTask task, TaskEvent event) {
        return switch (event.kind()) {
            case RUNNING, PROGRESS, RELEASED -> true;
            case FAILED -> task.statusOrUnobserved().failedAttempts() > 0;
            case CANCELLED -> event.failureType().equals(StopReason.SUSPENDED);
            case COMPLETED -> false;
        };
    }
}
