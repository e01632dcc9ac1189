package dev.codeforge.jetstream;

import dev.codeforge.wire.SessionKey;
import dev.codeforge.wire.SessionRecord;
import java.util.Optional;

/**
 * Whose turn it is in each session and where its conversation stands, kept for 30 days after the last write. Every method
 * throws {@link QueueUnavailableException} when NATS does not answer or an entry cannot be read.
 */
public interface Sessions {

    /** The session's entry, read from the leader: absence is to be believed. */
    Optional<Entry> read(SessionKey session);

    /**
     * Writes if the entry's revision is the expected one.
     *
     * @param expectedRevision 0: there is no entry
     * @return false when somebody was faster, also when that was a try of our own whose answer was lost
     */
    boolean write(SessionKey session, SessionRecord record, long expectedRevision);

    record Entry(SessionRecord record, long revision) {}
}
