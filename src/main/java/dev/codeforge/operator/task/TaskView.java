package dev.codeforge.operator.task;

import dev.codeforge.operator.status.Reason;
import dev.codeforge.wire.TaskEvent;
import java.util.Optional;

/** What the status shall say. */
sealed interface TaskView {
    /** As it says now. */
    record Unchanged() implements TaskView {}

    /** Not published, and why. */
    record Waiting(Reason reason, String message) implements TaskView {}

    /** The message stands; {@code event} is there after a run was given back. */
    record Queued(int attempt, String stream, long sequence, Optional<TaskEvent> event) implements TaskView {}

    /** A worker runs it. */
    record Running(TaskEvent event) implements TaskView {}

    /** The attempt's outcome. */
    record Ended(TaskEvent event) implements TaskView {}
}
