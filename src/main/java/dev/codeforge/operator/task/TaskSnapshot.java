package dev.codeforge.operator.task;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.jetstream.Control;
import dev.codeforge.jetstream.StandingMessage;
import dev.codeforge.wire.TaskEvent;
import java.util.Optional;

/**
 * All that is known when a decision on a task is made.
 *
 * @param deleted the resource is gone
 * @param standing the message in the pool's stream
 * @param lastSequence of the task's results, 0 for none; counts events that are not believed
 * @param lastEvent the last event with a valid proof
 * @param holder empty while nobody was asked; inner empty when nobody answered
 */
record TaskSnapshot(
        AgentTask task,
        boolean deleted,
        Optional<WorkerPool> pool,
        Optional<StandingMessage> standing,
        long lastSequence,
        Optional<TaskEvent> lastEvent,
        Optional<Optional<Control.Holder>> holder) {

    TaskSnapshot withHolder(Optional<Control.Holder> answer) {
        return new TaskSnapshot(task, deleted, pool, standing, lastSequence, lastEvent, Optional.of(answer));
    }
}
