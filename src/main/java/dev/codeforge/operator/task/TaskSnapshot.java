package dev.codeforge.operator.task;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.jetstream.TaskQueue.StandingMessage;
import dev.codeforge.jetstream.WorkerControl;
import dev.codeforge.operator.task.admission.Candidate;
import dev.codeforge.operator.task.loss.WorkerLoss;
import dev.codeforge.wire.TaskEvent;
import java.util.Optional;

/**
 * Everything that a decision on a task is based on.
 *
 * @param candidate the task with what its admission is decided from
 * @param deleted the resource is deleted
 * @param standing the message in the pool's stream
 * @param lastSequence of the task's results, 0 for none; includes events without a valid proof
 * @param lastEvent the last event with a valid proof
 * @param loss why the worker of the last event's run is lost; empty if its pod shows no loss
 * @param holder the worker that runs the task; empty until the planner has asked, empty inside when none answers
 */
record TaskSnapshot(
        Candidate candidate,
        boolean deleted,
        Optional<StandingMessage> standing,
        long lastSequence,
        Optional<TaskEvent> lastEvent,
        Optional<WorkerLoss> loss,
        Optional<Optional<WorkerControl.Holder>> holder) {

    TaskSnapshot withHolder(Optional<WorkerControl.Holder> answer) {
        return new TaskSnapshot(candidate, deleted, standing, lastSequence, lastEvent, loss, Optional.of(answer));
    }

    TaskSnapshot with(Candidate other) {
        return new TaskSnapshot(other, deleted, standing, lastSequence, lastEvent, loss, holder);
    }

    AgentTask task() {
        return candidate.task();
    }

    Optional<WorkerPool> pool() {
        return candidate.pool();
    }

    AgentTaskStatus status() {
        return task().statusOrUnobserved();
    }

    /** An event of the current attempt or a later one; empty when the status already has that attempt's end. */
    Optional<TaskEvent> news() {
        return lastEvent.filter(event -> event.attempt() >= status().currentAttempt());
    }

    /** True if a worker may run the attempt. The status counts too, because the events of a run may be lost. */
    boolean mayRun(Optional<TaskEvent> event) {
        return event.map(TaskEvent::isRunning).orElse(status().phase() == Phase.Running);
    }
}
