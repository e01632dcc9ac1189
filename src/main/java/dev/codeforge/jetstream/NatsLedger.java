package dev.codeforge.jetstream;

import dev.codeforge.wire.LedgerKey;
import dev.codeforge.wire.LedgerRecord;
import dev.codeforge.wire.UnreadableMessageException;
import io.nats.client.PublishOptions;
import io.nats.client.api.MessageInfo;
import io.nats.client.impl.NatsMessage;
import java.util.Optional;

/** {@link Ledger} in a key-value bucket, so that people may look into it by {@code nats kv}. */
final class NatsLedger implements Ledger {
    static final String BUCKET = "ledger";
    static final String STREAM = "KV_" + BUCKET;
    static final String SUBJECTS = "$KV." + BUCKET + ".>";
    private static final String OPERATION = "KV-Operation";

    private final NatsConnection nats;
    private final StreamMessages leader;

    NatsLedger(NatsConnection nats) {
        this.nats = nats;
        this.leader = new StreamMessages(nats);
    }

    @Override
    public Optional<Entry> read(String namespace, String key) {
        final String subject = subject(namespace, key);
        return leader.lastKept(STREAM, subject)
                .filter(message -> !isMarker(message))
                .map(message -> entry(subject, message));
    }

    private static Entry entry(String subject, MessageInfo message) {
        try {
            return new Entry(LedgerRecord.parse(message.getData()), message.getSeq());
        } catch (UnreadableMessageException e) {
            throw new QueueUnavailableException(
                    "the ledger's entry " + subject + " is not the operator's: delete it by 'nats kv del " + BUCKET
                            + " " + subject.substring(SUBJECTS.length() - 1) + "' (" + e.getMessage() + ")",
                    e);
        }
    }

    @Override
    public Optional<Long> write(String namespace, String key, LedgerRecord record, long expectedRevision) {
        final String subject = subject(namespace, key);
        final byte[] body = record.toJson();
        final Optional<Long> written = publish(subject, body, "", expectedRevision);
        return written.isPresent() || expectedRevision > 0
                ? written
                // A deleted key leaves a marker, which counts as no entry.
                : leader.lastKept(STREAM, subject)
                        .filter(NatsLedger::isMarker)
                        .flatMap(marker -> publish(subject, body, "", marker.getSeq()));
    }

    @Override
    public void release(String namespace, String key, long revision) {
        publish(subject(namespace, key), new byte[0], "DEL", revision);
    }

    private static String subject(String namespace, String key) {
        return "$KV." + BUCKET + "." + LedgerKey.of(namespace, key);
    }

    private static boolean isMarker(MessageInfo message) {
        return message.getHeaders() != null && message.getHeaders().containsKey(OPERATION);
    }

    private Optional<Long> publish(String subject, byte[] body, String operation, long expectedRevision) {
        final io.nats.client.impl.Headers headers = new io.nats.client.impl.Headers();
        if (!operation.isEmpty()) {
            headers.put(OPERATION, operation);
        }
        final PublishOptions options = PublishOptions.builder()
                .expectedStream(STREAM)
                .expectedLastSubjectSequence(expectedRevision)
                .build();
        return FencedWrite.of(
                nats,
                NatsMessage.builder()
                        .subject(subject)
                        .headers(headers)
                        .data(body)
                        .build(),
                options,
                "from the ledger");
    }
}
