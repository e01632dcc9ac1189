package dev.codeforge.jetstream;

import io.nats.client.PublishOptions;
import io.nats.client.api.MessageInfo;
import io.nats.client.impl.NatsMessage;
import java.util.Optional;

/** A key-value bucket whose entries are read from the leader and written by revision, so that one writer of many wins. */
final class RevisedBucket {
    private static final String OPERATION = "KV-Operation";

    private final NatsConnection nats;
    private final StreamMessages leader;
    private final String bucket;

    RevisedBucket(NatsConnection nats, String bucket) {
        this.nats = nats;
        this.leader = new StreamMessages(nats);
        this.bucket = bucket;
    }

    /** The key's entry; a deleted one is none. */
    Optional<MessageInfo> read(String key) {
        return leader.lastKept(stream(), subject(key)).filter(message -> !isMarker(message));
    }

    /** @return the new revision, or empty when somebody was faster; 0 is expected of a key without an entry */
    Optional<Long> write(String key, byte[] body, long expectedRevision) {
        final Optional<Long> written = publish(key, body, "", expectedRevision);
        return written.isPresent() || expectedRevision > 0
                ? written
                // A deleted key leaves a marker, which counts as no entry.
                : leader.lastKept(stream(), subject(key))
                        .filter(RevisedBucket::isMarker)
                        .flatMap(marker -> publish(key, body, "", marker.getSeq()));
    }

    /** Deletes the entry if its revision is still that one. */
    void delete(String key, long revision) {
        publish(key, new byte[0], "DEL", revision);
    }

    /** What to do about an entry that cannot be read. */
    QueueUnavailableException unreadable(String key, Exception why) {
        return new QueueUnavailableException(
                "the entry " + key + " of the bucket " + bucket + " is not the operator's: delete it by 'nats kv del "
                        + bucket + " " + key + "' (" + why.getMessage() + ")",
                why);
    }

    private String stream() {
        return "KV_" + bucket;
    }

    private String subject(String key) {
        return "$KV." + bucket + "." + key;
    }

    private static boolean isMarker(MessageInfo message) {
        return message.getHeaders() != null && message.getHeaders().containsKey(OPERATION);
    }

    private Optional<Long> publish(String key, byte[] body, String operation, long expectedRevision) {
        final io.nats.client.impl.Headers headers = new io.nats.client.impl.Headers();
        if (!operation.isEmpty()) {
            headers.put(OPERATION, operation);
        }
        final PublishOptions options = PublishOptions.builder()
                .expectedStream(stream())
                .expectedLastSubjectSequence(expectedRevision)
                .build();
        return FencedWrite.of(
                nats,
                NatsMessage.builder()
                        .subject(subject(key))
                        .headers(headers)
                        .data(body)
                        .build(),
                options,
                "from the bucket " + bucket);
    }
}
