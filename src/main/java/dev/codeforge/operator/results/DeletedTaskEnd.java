package dev.codeforge.operator.results;

import dev.codeforge.jetstream.Connections;
import dev.codeforge.wire.TaskEvent;
import dev.codeforge.wire.TaskRef;
import java.util.Optional;

/** Ends what a task has queued or running whose AgentTask was deleted while no operator worked. */
public final class DeletedTaskEnd {
    public static final String TASK_DELETED = "TaskDeleted";
    private static final String DETAIL = "the AgentTask was deleted";

    private final Connections connections;
    private final OperatorEvents events;

    public DeletedTaskEnd(Connections connections, OperatorEvents events) {
        this.connections = connections;
        this.events = events;
    }

    /** The task's last event whose proof holds. */
    public Optional<TaskEvent> last(TaskRef task) {
        return events.last(connections.results(), task);
    }

    /**
     * Asks the holder to stop. It knows at once, and an agent that has not begun never does; from an event that the operator
     * writes it learns a second later.
     *
     * @param last event of the task
     * @return true if the holder has accepted: its terminal event follows
     */
    public boolean stop(TaskRef task, Optional<TaskEvent> last) {
        return last.filter(TaskEvent::isRunning)
                .filter(run -> connections.workers().cancel(task, run.attempt(), TASK_DELETED, DETAIL))
                .isPresent();
    }

    /** Ends the attempt in place of its worker, unless it has ended. */
    public void write(TaskRef task, int attempt) {
        write(task, attempt, DETAIL);
    }

    /** @param why the next task may begin */
    public void writeBecause(TaskRef task, int attempt, String why) {
        write(task, attempt, DETAIL + "; " + why);
    }

    private void write(TaskRef task, int attempt, String message) {
        events.endUnfinished(
                connections.results(),
                task,
                attempt,
                TaskEvent.Kind.CANCELLED,
                new TaskEvent.Failure(TASK_DELETED, message, false));
    }
}
