package dev.codeforge.operator.task.admission;

import dev.codeforge.api.AgentTask;
import dev.codeforge.jetstream.CasBucket;
import dev.codeforge.wire.LedgerRecord;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * Plans the writes that keep an idempotency key in the ledger while a task with the key exists: an entry is written
 * again before it expires, and recreated from the task's status when NATS has lost it.
 */
final class KeyUpkeep {
    /** NATS keeps an entry for 30 days, so the key is known for three weeks after its last task was deleted. */
    static final Duration FRESH = Duration.ofDays(7);

    private KeyUpkeep() {}

    /** The record to write now, in place of the entry; empty if no write is due. */
    static Optional<LedgerRecord> due(AgentTask task, Optional<CasBucket.Entry<LedgerRecord>> entry, Instant now) {
        return entry.isPresent() ? again(task, entry.get(), now) : anew(task);
    }

    private static Optional<LedgerRecord> again(AgentTask task, CasBucket.Entry<LedgerRecord> entry, Instant now) {
        final LedgerRecord record = entry.record();
        final boolean its = record.specHash().equals(SpecHash.of(task.getSpec()))
                && (record.outcome() != null || (record.uid().equals(task.uid()) && !task.isFinished()));
        return its && entry.written().isBefore(now.minus(FRESH)) ? Optional.of(record) : Optional.empty();
    }

    /** Empty for a task that waits for the key: that task claims the key before its first publish. */
    private static Optional<LedgerRecord> anew(AgentTask task) {
        final LedgerRecord claim = ClaimPlanner.claim(task);
        if (!task.isFinished()) {
            return task.statusOrUnobserved().attempts() > 0 ? Optional.of(claim) : Optional.empty();
        }
        return KeptEnd.toldBy(task).map(end -> TaskLedger.outcome(claim, end));
    }
}
