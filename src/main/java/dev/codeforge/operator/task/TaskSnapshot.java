package dev.codeforge.operator.task;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.jetstream.CasBucket;
import dev.codeforge.jetstream.TaskQueue.StandingMessage;
import dev.codeforge.jetstream.WorkerControl;
import dev.codeforge.wire.LedgerRecord;
import dev.codeforge.wire.SessionRecord;
import dev.codeforge.wire.TaskEvent;
import java.util.List;
import java.util.Optional;

/**
 * All that is known when a decision on a task is made.
 *
 * @param deleted the resource is gone
 * @param standing the message in the pool's stream
 * @param lastSequence of the task's results, 0 for none; counts events that are not believed
 * @param lastEvent the last event with a valid proof
 * @param loss why the worker of the last event's run is lost; empty if its pod shows no loss
 * @param rivals the other unfinished tasks of its session, as the cache has them
 * @param behind an older task waits for room in the pool's queue
 * @param answers to what the planner asked
 */
record TaskSnapshot(
        AgentTask task,
        boolean deleted,
        Optional<WorkerPool> pool,
        Optional<StandingMessage> standing,
        long lastSequence,
        Optional<TaskEvent> lastEvent,
        Optional<WorkerLoss> loss,
        List<AgentTask> rivals,
        boolean behind,
        Answers answers) {

    /**
     * Each is empty while nobody asked; the holder, the ledger's entry and the session's are empty inside when there is none.
     *
     * @param owner of the key, or of the session's turn: a task waits for one of them at a time
     */
    record Answers(
            Optional<Optional<WorkerControl.Holder>> holder,
            Optional<Optional<CasBucket.Entry<LedgerRecord>>> ledger,
            Optional<Optional<CasBucket.Entry<SessionRecord>>> session,
            Optional<OwnerState> owner) {
        static final Answers NONE = new Answers(Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());
    }

    /** What became of the task that has what this one needs. */
    enum OwnerState {
        UNFINISHED,
        GONE
    }

    TaskSnapshot withHolder(Optional<WorkerControl.Holder> answer) {
        return with(new Answers(Optional.of(answer), answers.ledger(), answers.session(), answers.owner()));
    }

    TaskSnapshot withLedger(Optional<CasBucket.Entry<LedgerRecord>> answer) {
        return with(new Answers(answers.holder(), Optional.of(answer), answers.session(), answers.owner()));
    }

    /** What was known of another's turn holds no more. */
    TaskSnapshot withSession(Optional<CasBucket.Entry<SessionRecord>> answer) {
        return with(new Answers(answers.holder(), answers.ledger(), Optional.of(answer), Optional.empty()));
    }

    TaskSnapshot withOwner(OwnerState answer) {
        return with(new Answers(answers.holder(), answers.ledger(), answers.session(), Optional.of(answer)));
    }

    /** What was read of key and session holds no more. */
    TaskSnapshot unadmitted() {
        return with(new Answers(answers.holder(), Optional.empty(), Optional.empty(), Optional.empty()));
    }

    private TaskSnapshot with(Answers given) {
        return new TaskSnapshot(task, deleted, pool, standing, lastSequence, lastEvent, loss, rivals, behind, given);
    }

    AgentTaskStatus status() {
        return TaskDeadlines.statusOf(task);
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
