package dev.codeforge.operator.task;

import dev.codeforge.api.Retry;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.wire.LedgerRecord;
import dev.codeforge.wire.SessionRecord;
import java.util.Optional;

/** The next step for a task. */
sealed interface TaskPlan {
    /** Only write the status. */
    record UpdateStatus(StatusTransition view) implements TaskPlan {}

    /** An input is missing; plan again with the answer. No question writes. */
    sealed interface Question extends TaskPlan {}

    /** Something must belong to this task before an attempt is published; plan again after the write, also if another task was faster. */
    sealed interface Admission extends TaskPlan {}

    /** Ask which worker runs it. */
    record AskHolder() implements Question {}

    /** Read the ledger's record of the task's idempotency key. */
    record ReadLedger() implements Question {}

    /** Read from the API server whether the owner of the key still exists. */
    record FindOwner(LedgerRecord claim) implements Question {}

    /** Read the session's record: the turn and the position of the conversation. */
    record ReadSession() implements Question {}

    /** Read from the API server whether the owner of the turn still exists. */
    record FindTurn(SessionRecord.Turn turn) implements Question {}

    /**
     * Take the turn if the record still has this revision (0 for none); the first writer gets it.
     *
     * @param former had the turn and is gone: end what it may have left running first
     * @param subject of this task's own message; empty when it is not known
     */
    record TakeTurn(
            Optional<SessionRecord.Turn> former, SessionRecord record, long revision, String stream, String subject)
            implements Admission {}

    /** Write this task's claim if the ledger's record still has this revision (0 for none). */
    record Claim(LedgerRecord claim, long revision) implements Admission {}

    /**
     * The owner of the key is gone: end what it may have left running, or keep its outcome.
     *
     * @param retry what would have followed a failure of the same work
     */
    record TakeOver(LedgerRecord before, LedgerRecord claim, long revision, String stream, String subject, Retry retry)
            implements Admission {}

    /**
     * Publish an attempt.
     *
     * @param purgeFirst the stream still has the message of an older attempt
     * @param freshId the usual message id was used and its message is gone: the server would reject it as a duplicate
     */
    record Publish(WorkerPool pool, int attempt, boolean purgeFirst, boolean freshId) implements TaskPlan {}

    /**
     * End a waiting attempt: terminal event, purge; then reconcile again. {@code subject} is empty when it is not
     * known.
     */
    record End(String stream, String subject, int attempt, StopReason stop) implements TaskPlan {}

    /**
     * Ask the holder to stop. With {@code overdue} the holder has been silent for too long, and the attempt is ended
     * without it.
     */
    record AskToStop(End end, boolean overdue) implements TaskPlan {}

    /** The worker is lost through no fault of the task: release the run in its place; then plan again. */
    record GiveBack(int attempt, WorkerLoss loss) implements TaskPlan {}

    /** The resource is deleted: end what is unfinished. With {@code running}, ask the holder to stop first. */
    record EndDeleted(String stream, String subject, int attempt, boolean running) implements TaskPlan {}

    /** The task's time to live is over. */
    record Delete() implements TaskPlan {}

    /** NATS is ahead of the cache: reconcile again. */
    record Requeue() implements TaskPlan {}
}
