package dev.codeforge.wire;

import org.jspecify.annotations.Nullable;

/**
 * The ledger's entry of an idempotency key: the task that owns the key, and the task's end.
 *
 * @param uid of the AgentTask that claimed the key
 * @param pool of that task; null in an entry of an earlier version
 * @param specHash of that task's work; another hash under the same key is an error
 * @param outcome absent while the key is only claimed
 */
public record LedgerRecord(
        String uid,
        String namespace,
        @Nullable String pool,
        String name,
        String specHash,
        @Nullable TaskEvent outcome) {

    public byte[] toJson() {
        return Json.write(this);
    }

    public static LedgerRecord parse(byte[] body) throws UnreadableMessageException {
        final LedgerRecord entry = Json.read(body, LedgerRecord.class);
        if (entry.uid() == null || entry.namespace() == null || entry.name() == null || entry.specHash() == null) {
            throw new UnreadableMessageException("a ledger record needs uid, namespace, name and spec_hash");
        }
        return entry;
    }
}
