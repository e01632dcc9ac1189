package dev.codeforge.operator.task;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;

/**
 * Receives the progress of tasks from within their reconciles. Implementations must be quick and must not throw; a call
 * may be repeated.
 */
public interface TaskListener {

    /** The API server has stored this status of the task. */
    void status(AgentTask task, AgentTaskStatus status);

    /** The task was deleted and its messages in NATS are withdrawn. */
    void gone(AgentTask task);
}
