package dev.codeforge.jetstream;

import dev.codeforge.wire.SessionKey;
import dev.codeforge.wire.SessionRecord;
import dev.codeforge.wire.UnreadableMessageException;
import io.nats.client.api.MessageInfo;
import java.util.Optional;

/** {@link Sessions} in a key-value bucket, so that people may look into it by {@code nats kv}. */
final class NatsSessions implements Sessions {
    static final String BUCKET = "sessions";
    static final String STREAM = "KV_" + BUCKET;
    static final String SUBJECTS = "$KV." + BUCKET + ".>";

    private final RevisedBucket bucket;

    NatsSessions(NatsConnection nats) {
        this.bucket = new RevisedBucket(nats, BUCKET);
    }

    @Override
    public Optional<Entry> read(SessionKey session) {
        return bucket.read(session.entry()).map(message -> entry(session.entry(), message));
    }

    private Entry entry(String key, MessageInfo message) {
        try {
            return new Entry(SessionRecord.parse(message.getData()), message.getSeq());
        } catch (UnreadableMessageException e) {
            throw bucket.unreadable(key, e);
        }
    }

    @Override
    public boolean write(SessionKey session, SessionRecord record, long expectedRevision) {
        return bucket.write(session.entry(), record.toJson(), expectedRevision).isPresent();
    }
}
