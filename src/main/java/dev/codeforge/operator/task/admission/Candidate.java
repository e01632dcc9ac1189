package dev.codeforge.operator.task.admission;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.api.WorkerPoolStatus;
import dev.codeforge.jetstream.CasBucket;
import dev.codeforge.wire.LedgerRecord;
import dev.codeforge.wire.SessionRecord;
import dev.codeforge.wire.Subjects;
import java.util.List;
import java.util.Optional;

/**
 * A task that may want to publish an attempt, with everything that its admission is decided from.
 *
 * @param rivals the other unfinished tasks of its session, from the cache
 * @param behind an older task waits for room in the pool's queue
 * @param answers to the questions so far
 */
public record Candidate(
        AgentTask task, Optional<WorkerPool> pool, List<AgentTask> rivals, boolean behind, Answers answers) {

    /**
     * Each field is empty until it was asked for. The ledger's record and the session's record are empty inside when
     * there is none.
     *
     * @param owner of the key, or of the session's turn: a task waits for one of them at a time
     */
    public record Answers(
            Optional<Optional<CasBucket.Entry<LedgerRecord>>> ledger,
            Optional<Optional<CasBucket.Entry<SessionRecord>>> session,
            Optional<OwnerState> owner) {
        private static final Answers NONE = new Answers(Optional.empty(), Optional.empty(), Optional.empty());
    }

    /** State of the task that owns the key or turn that this task needs. */
    public enum OwnerState {
        UNFINISHED,
        GONE
    }

    /** Nothing was asked yet. */
    public static Candidate of(AgentTask task, Optional<WorkerPool> pool, List<AgentTask> rivals, boolean behind) {
        return new Candidate(task, pool, rivals, behind, Answers.NONE);
    }

    public Candidate withLedger(Optional<CasBucket.Entry<LedgerRecord>> answer) {
        return with(new Answers(Optional.of(answer), answers.session(), answers.owner()));
    }

    /** A new record of the session makes the known state of the turn's owner invalid. */
    public Candidate withSession(Optional<CasBucket.Entry<SessionRecord>> answer) {
        return with(new Answers(answers.ledger(), Optional.of(answer), Optional.empty()));
    }

    public Candidate withOwner(OwnerState answer) {
        return with(new Answers(answers.ledger(), answers.session(), Optional.of(answer)));
    }

    /** What was read before a write holds no more. */
    public Candidate unanswered() {
        return with(Answers.NONE);
    }

    private Candidate with(Answers given) {
        return new Candidate(task, pool, rivals, behind, given);
    }

    /** The pool's stream; known from its name alone, even when the pool is gone. */
    public String stream() {
        return Subjects.poolStream(
                task.getMetadata().getNamespace(),
                task.getSpec().workerPoolRef().name());
    }

    /** The subject of the task's message; empty when the pool is not known. */
    public String subject() {
        return pool.flatMap(WorkerPool::observedStatus)
                .map(WorkerPoolStatus::queue)
                .map(queue -> Subjects.task(queue.subject(), task.uid()))
                .orElse("");
    }
}
