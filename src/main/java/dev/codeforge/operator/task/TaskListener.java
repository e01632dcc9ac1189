package dev.codeforge.operator.task;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import java.util.List;

/**
 * Receives the progress of tasks from within their reconciles. Implementations must be quick and must not throw; a call
 * may be repeated.
 */
public interface TaskListener {

    /** The API server has stored this status of the task. */
    void status(AgentTask task, AgentTaskStatus status);

    /** One that passes each call on to all of them. */
    static TaskListener of(List<TaskListener> listeners) {
        return new TaskListener() {
            @Override
            public void status(AgentTask task, AgentTaskStatus status) {
                listeners.forEach(listener -> listener.status(task, status));
            }

            @Override
            public void gone(AgentTask task) {
                listeners.forEach(listener -> listener.gone(task));
            }
        };
    }

    /** The task was deleted and its messages in NATS are withdrawn. */
    void gone(AgentTask task);
}
