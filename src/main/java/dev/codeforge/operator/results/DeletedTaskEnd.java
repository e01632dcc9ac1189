package dev.codeforge.operator.results;

import dev.codeforge.jetstream.Connections;
import dev.codeforge.wire.TaskEvent;
import dev.codeforge.wire.TaskRef;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/** Ends the queued or running attempt of a task whose AgentTask was deleted while no operator worked. */
public final class DeletedTaskEnd {
    public static final TaskEvent.Failure DELETED =
            new TaskEvent.Failure("TaskDeleted", "the AgentTask was deleted", false);
    /** The agent has 10 s to end, and the push of a successful agent's work has 20 s. */
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private static final Duration PAUSE = Duration.ofMillis(200);

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
     * Asks the holder to stop. The request arrives at once, so that an agent that has not begun never begins. An event
     * that the operator writes reaches the holder a second later.
     *
     * @param last event of the task
     * @return true if the holder has accepted: its terminal event follows
     */
    public boolean stop(TaskRef task, Optional<TaskEvent> last) {
        return last.filter(TaskEvent::isRunning)
                .filter(run -> connections.workers().cancel(task, run.attempt(), DELETED.type(), DELETED.message()))
                .isPresent();
    }

    /** As {@link #stop}; returns when the run has ended. A holder that takes too long is fenced by the event that follows. */
    public void stopAndAwait(TaskRef task, Optional<TaskEvent> last) {
        if (!stop(task, last)) {
            return;
        }
        final long until = System.nanoTime() + PATIENCE.toNanos();
        while (last(task).filter(TaskEvent::isRunning).isPresent() && System.nanoTime() < until) {
            LockSupport.parkNanos(PAUSE.toNanos());
        }
    }

    /** Ends the attempt in place of its worker, unless it has ended. */
    public void write(TaskRef task, int attempt) {
        write(task, attempt, DELETED.message());
    }

    /** @param why the next task may begin */
    public void writeBecause(TaskRef task, int attempt, String why) {
        write(task, attempt, DELETED.message() + "; " + why);
    }

    private void write(TaskRef task, int attempt, String message) {
        events.endUnfinished(
                connections.results(),
                task,
                attempt,
                TaskEvent.Kind.CANCELLED,
                new TaskEvent.Failure(DELETED.type(), message, false));
    }
}
