package dev.codeforge.operator.task;

import dev.codeforge.api.Retry;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.wire.LedgerRecord;
import dev.codeforge.wire.SessionRecord;
import java.util.Optional;

/** What to do with a task now. */
sealed interface TaskPlan {
    /** Nothing but to say what is. */
    record UpdateStatus(StatusTransition view) implements TaskPlan {}

    /** Something must be known first; plan again with the answer. */
    sealed interface Question extends TaskPlan {}

    /** Ask who runs it. */
    record AskHolder() implements Question {}

    /** Read what the ledger has under the task's idempotency key. */
    record ReadLedger() implements Question {}

    /** Look, live, whether the task that has the key is still there. */
    record FindOwner(LedgerRecord claim) implements Question {}

    /** Read whose turn it is in the task's session, and where its conversation stands. */
    record ReadSession() implements Question {}

    /** Look, live, whether the task that has the turn is still there. */
    record FindTurn(SessionRecord.Turn turn) implements Question {}

    /**
     * Take the turn over the record's revision, 0 for none; who was fastest has it.
     *
     * @param former had the turn and is gone: end what it may have left running before
     * @param subject of this task's own message; empty when it is not known
     */
    record TakeTurn(
            Optional<SessionRecord.Turn> former, SessionRecord record, long revision, String stream, String subject)
            implements Question {}

    /** Write this task's claim over the ledger's revision, 0 for none; then look again. */
    record Claim(LedgerRecord claim, long revision) implements TaskPlan {}

    /**
     * The key's owner is gone: end what it may have left running, or keep its outcome; then look again.
     *
     * @param retry what would have followed a failure of the same work
     */
    record TakeOver(LedgerRecord before, LedgerRecord claim, long revision, String stream, String subject, Retry retry)
            implements TaskPlan {}

    /**
     * Publish an attempt.
     *
     * @param purgeFirst an older attempt's message stands
     * @param freshId the usual message id was used before and its message is gone: the server would call it a duplicate
     */
    record Publish(WorkerPool pool, int attempt, boolean purgeFirst, boolean freshId) implements TaskPlan {}

    /** End a waiting attempt: terminal event, purge; then look again. {@code subject} is empty when it is not known. */
    record End(String stream, String subject, int attempt, StopReason stop) implements TaskPlan {}

    /** Ask the holder to stop; {@code overdue}: it has been silent for so long that the attempt is ended without it. */
    record AskToStop(End end, boolean overdue) implements TaskPlan {}

    /** The worker is lost through no fault of the task: release the run in its place; then plan again. */
    record GiveBack(int attempt, WorkerLoss loss) implements TaskPlan {}

    /** The resource is gone: end what is unfinished. {@code running}: ask the holder to stop before. */
    record EndDeleted(String stream, String subject, int attempt, boolean running) implements TaskPlan {}

    /** Its time after the end is over. */
    record Delete() implements TaskPlan {}

    /** What NATS shows is newer than what the cache shows: look again. */
    record Requeue() implements TaskPlan {}
}
