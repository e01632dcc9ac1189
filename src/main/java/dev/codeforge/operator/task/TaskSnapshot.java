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
 * Everything that a decision on a task is based on.
 *
 * @param deleted the resource is deleted
 * @param standing the message in the pool's stream
 * @param lastSequence of the task's results, 0 for none; includes events without a valid proof
 * @param lastEvent the last event with a valid proof
 * @param loss why the worker of the last event's run is lost; empty if its pod shows no loss
 * @param rivals the other unfinished tasks of its session, from the cache
 * @param behind an older task waits for room in the pool's queue
 * @param answers to the planner's questions
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
     * Each field is empty until the planner has asked. The holder, the ledger's record and the session's record are
     * empty inside when there is none.
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

    /** State of the task that owns the key or turn that this task needs. */
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

    /** A new record of the session makes the known state of the turn's owner invalid. */
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

    /** An event of the current attempt or a later one; empty when the status already has that attempt's end. */
    Optional<TaskEvent> news() {
        return lastEvent.filter(event -> event.attempt() >= status().currentAttempt());
    }

    /** True if a worker may run the attempt. The status counts too, because the events of a run may be lost. */
    boolean mayRun(Optional<TaskEvent> event) {
        return event.map(TaskEvent::isRunning).orElse(status().phase() == Phase.Running);
    }
}
