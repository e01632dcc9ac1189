package dev.codeforge.jetstream;

import dev.codeforge.wire.LedgerRecord;
import java.util.Optional;

/**
 * Who claimed an idempotency key and how its task ended, kept for 30 days after the last write. Every method throws
 * {@link QueueUnavailableException} when NATS does not answer or an entry cannot be read.
 */
public interface Ledger {

    /** The key's entry, read from the leader: absence is to be believed. */
    Optional<Entry> read(String namespace, String key);

    /**
     * Writes if the entry's revision is the expected one.
     *
     * @param expectedRevision 0: there is no entry
     * @return the new revision, or empty when somebody was faster, also when that was a try of our own whose answer was lost
     */
    Optional<Long> write(String namespace, String key, LedgerRecord record, long expectedRevision);

    /** Deletes the entry if its revision is still that one. Another's, or none, is no error. */
    void release(String namespace, String key, long revision);

    record Entry(LedgerRecord record, long revision) {}
}
