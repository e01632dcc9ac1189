package dev.codeforge.operator.task;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.jetstream.Control;
import dev.codeforge.jetstream.Ledger;
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
 * @param answers to what the planner asked
 */
record TaskSnapshot(
        AgentTask task,
        boolean deleted,
        Optional<WorkerPool> pool,
        Optional<StandingMessage> standing,
        long lastSequence,
        Optional<TaskEvent> lastEvent,
        Answers answers) {

    /** Each is empty while nobody asked; the holder and the ledger's entry are empty inside when there is none. */
    record Answers(
            Optional<Optional<Control.Holder>> holder,
            Optional<Optional<Ledger.Entry>> ledger,
            Optional<OwnerState> owner) {
        static final Answers NONE = new Answers(Optional.empty(), Optional.empty(), Optional.empty());
    }

    /** What became of the task that has the idempotency key. */
    enum OwnerState {
        UNFINISHED,
        GONE
    }

    TaskSnapshot withHolder(Optional<Control.Holder> answer) {
        return with(new Answers(Optional.of(answer), answers.ledger(), answers.owner()));
    }

    TaskSnapshot withLedger(Optional<Ledger.Entry> answer) {
        return with(new Answers(answers.holder(), Optional.of(answer), answers.owner()));
    }

    TaskSnapshot withOwner(OwnerState answer) {
        return with(new Answers(answers.holder(), answers.ledger(), Optional.of(answer)));
    }

    private TaskSnapshot with(Answers given) {
        return new TaskSnapshot(task, deleted, pool, standing, lastSequence, lastEvent, given);
    }

    AgentTaskStatus status() {
        return TaskClocks.statusOf(task);
    }

    /** What is new about the attempt under way or one after it: the ends that the status tells are none. */
    Optional<TaskEvent> news() {
        return lastEvent.filter(event -> event.attempt() >= status().currentAttempt());
    }

    /** Somebody runs the attempt, as far as is known: a run whose events are lost was seen by the status. */
    boolean mayRun(Optional<TaskEvent> event) {
        return event.map(TaskEvent::isRunning).orElse(status().phase() == Phase.Running);
    }
}
