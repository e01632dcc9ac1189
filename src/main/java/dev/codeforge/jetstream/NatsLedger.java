package dev.codeforge.jetstream;

import dev.codeforge.wire.LedgerKey;
import dev.codeforge.wire.LedgerRecord;
import dev.codeforge.wire.UnreadableMessageException;
import io.nats.client.api.MessageInfo;
import java.util.Optional;

/** {@link Ledger} in a key-value bucket, so that people may look into it by {@code nats kv}. */
final class NatsLedger implements Ledger {
    static final String BUCKET = "ledger";
    static final String STREAM = "KV_" + BUCKET;
    static final String SUBJECTS = "$KV." + BUCKET + ".>";

    private final RevisedBucket bucket;

    NatsLedger(NatsConnection nats) {
        this.bucket = new RevisedBucket(nats, BUCKET);
    }

    @Override
    public Optional<Entry> read(String namespace, String key) {
        final String entry = LedgerKey.of(namespace, key);
        return bucket.read(entry).map(message -> entry(entry, message));
    }

    private Entry entry(String key, MessageInfo message) {
        try {
            return new Entry(LedgerRecord.parse(message.getData()), message.getSeq());
        } catch (UnreadableMessageException e) {
            throw bucket.unreadable(key, e);
        }
    }

    @Override
    public Optional<Long> write(String namespace, String key, LedgerRecord record, long expectedRevision) {
        return bucket.write(LedgerKey.of(namespace, key), record.toJson(), expectedRevision);
    }

    @Override
    public void release(String namespace, String key, long revision) {
        bucket.delete(LedgerKey.of(namespace, key), revision);
    }
}
