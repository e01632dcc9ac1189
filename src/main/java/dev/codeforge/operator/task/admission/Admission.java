package dev.codeforge.operator.task.admission;

import dev.codeforge.api.Retry;
import dev.codeforge.operator.task.status.StatusTransition;
import dev.codeforge.wire.LedgerRecord;
import dev.codeforge.wire.SessionRecord;
import java.util.Optional;

/** Whether an attempt may be published. */
public sealed interface Admission {
    /** It may be published. */
    record Admitted() implements Admission {}

    /** It is not published; the transition says why: the task waits, or it ends without a run. */
    record Held(StatusTransition transition) implements Admission {}

    /** An input is missing: decide again with the answer. No question writes. */
    sealed interface Question extends Admission {}

    /** Something must belong to the task first: decide again after the write, also if another task was faster. */
    sealed interface Write extends Admission {
        /** True if a deleted task's run is ended first, which may take half a minute. */
        default boolean mayWait() {
            return this instanceof TakeOver
                    || (this instanceof TakeTurn turn && turn.former().isPresent());
        }
    }

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
            implements Write {}

    /** Write this task's claim if the ledger's record still has this revision (0 for none). */
    record Claim(LedgerRecord claim, long revision) implements Write {}

    /**
     * The owner of the key is gone: end what it may have left running, or keep its outcome.
     *
     * @param retry what would have followed a failure of the same work
     */
    record TakeOver(LedgerRecord before, LedgerRecord claim, long revision, String stream, String subject, Retry retry)
            implements Write {}
}
