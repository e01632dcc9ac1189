package dev.codeforge.operator.task.admission;

import dev.codeforge.api.AgentTask;
import dev.codeforge.jetstream.CasBucket;
import dev.codeforge.wire.LedgerRecord;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * What keeps an idempotency key remembered while a task with it is there: an entry is written again before it ages out, and
 * anew from the task's status when NATS has lost it.
 */
final class KeyUpkeep {
    /** An entry lasts for 30 days: so it is there for three weeks after the last task with its key. */
    static final Duration FRESH = Duration.ofDays(7);

    private KeyUpkeep() {}

    /** What is to be written over the entry now; empty for nothing. */
    static Optional<LedgerRecord> due(AgentTask task, Optional<CasBucket.Entry<LedgerRecord>> entry, Instant now) {
        return entry.isPresent() ? again(task, entry.get(), now) : anew(task);
    }

    private static Optional<LedgerRecord> again(AgentTask task, CasBucket.Entry<LedgerRecord> entry, Instant now) {
        final LedgerRecord record = entry.record();
        final boolean its = record.specHash().equals(SpecHash.of(task.getSpec()))
                && (record.outcome() != null || (record.uid().equals(task.uid()) && !task.isFinished()));
        return its && entry.written().isBefore(now.minus(FRESH)) ? Optional.of(record) : Optional.empty();
    }

    /** Not of one that waits for the key: that one asks for it itself. */
    private static Optional<LedgerRecord> anew(AgentTask task) {
        final LedgerRecord claim = ClaimPlanner.claim(task);
        if (!task.isFinished()) {
            return task.statusOrUnobserved().attempts() > 0 ? Optional.of(claim) : Optional.empty();
        }
        return KeptEnd.toldBy(task).map(end -> TaskLedger.outcome(claim, end));
    }
}
