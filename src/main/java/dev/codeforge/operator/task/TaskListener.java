package dev.codeforge.operator.task;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;

/** Told how tasks fare, in the middle of reconciling them: be quick, and throw nothing. The same may be told again. */
public interface TaskListener {

    /** A task has this status, and the API server has it. */
    void status(AgentTask task, AgentTaskStatus status);

    /** A task was deleted, and what it had in NATS is withdrawn. */
    void gone(AgentTask task);
}
