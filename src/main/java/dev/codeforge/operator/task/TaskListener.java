package dev.codeforge.operator.task;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.wire.TaskEvent;

/** Told how tasks fare, in the middle of reconciling them: be quick, and throw nothing. The same may be told again. */
public interface TaskListener {

    /** A proven event of an unfinished task has come in; {@code sequence} is its place in the results. */
    void event(TaskEvent event, long sequence);

    /** A task has this status, and the API server has it. */
    void status(AgentTask task, AgentTaskStatus status);

    /** A task was deleted, and what it had in NATS is withdrawn. */
    void gone(AgentTask task);
}
