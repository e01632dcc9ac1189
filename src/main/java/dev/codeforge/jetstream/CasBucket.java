package dev.codeforge.jetstream;

import dev.codeforge.wire.LedgerRecord;
import dev.codeforge.wire.PoolConfig;
import dev.codeforge.wire.SessionRecord;
import dev.codeforge.wire.UnreadableMessageException;
import io.nats.client.PublishOptions;
import io.nats.client.api.DiscardPolicy;
import io.nats.client.api.MessageInfo;
import io.nats.client.api.RetentionPolicy;
import io.nats.client.api.StorageType;
import io.nats.client.api.StreamConfiguration;
import io.nats.client.impl.Headers;
import io.nats.client.impl.NatsMessage;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;

/**
 * A key-value bucket whose entries are read from the leader and written by compare-and-set, so that of several writers
 * one succeeds. People can read it with {@code nats kv}. Every method throws {@link QueueUnavailableException} when
 * NATS does not answer or an entry cannot be read.
 */
public final class CasBucket<T> {
    /** Owner and outcome of idempotency keys; a key is {@link dev.codeforge.wire.LedgerKey}'s. */
    static final Kind<LedgerRecord> LEDGER =
            new Kind<>("ledger", Duration.ofDays(30), LedgerRecord::toJson, LedgerRecord::parse);

    /** Turn and conversation of each session; a key is {@link dev.codeforge.wire.SessionKey}'s. */
    static final Kind<SessionRecord> SESSIONS =
            new Kind<>("sessions", Duration.ofDays(30), SessionRecord::toJson, SessionRecord::parse);

    /** Settings for running workers, by pool. */
    static final Kind<Map<String, String>> CONFIG =
            new Kind<>("config", Duration.ZERO, PoolConfig::toJson, PoolConfig::parse);

    /** The active release of an installation, by the installation. */
    static final Kind<String> RELEASES = new Kind<>(
            "releases",
            Duration.ofDays(30),
            release -> release.getBytes(StandardCharsets.UTF_8),
            body -> new String(body, StandardCharsets.UTF_8));

    static final List<Kind<?>> ALL = List.of(LEDGER, SESSIONS, CONFIG, RELEASES);

    private static final String OPERATION = "KV-Operation";

    private final NatsConnection nats;
    private final StreamMessages leader;
    private final Kind<T> kind;

    CasBucket(NatsConnection nats, Kind<T> kind) {
        this.nats = nats;
        this.leader = new StreamMessages(nats);
        this.kind = kind;
    }

    /**
     * What a bucket stores, and its encoding.
     *
     * @param retention of a key, from its last write; zero for ever
     */
    record Kind<T>(String bucket, Duration retention, Function<T, byte[]> writer, Reader<T> reader) {
        String stream() {
            return "KV_" + bucket;
        }

        String subject(String key) {
            return "$KV." + bucket + "." + key;
        }

        /** The same configuration as every client's: only the last write of a key, deletes by marker. */
        StreamConfiguration configuration() {
            return StreamConfiguration.builder()
                    .name(stream())
                    .subjects(subject(">"))
                    .retentionPolicy(RetentionPolicy.Limits)
                    .storageType(StorageType.File)
                    .maxAge(retention)
                    .maxMessagesPerSubject(1)
                    .discardPolicy(DiscardPolicy.New)
                    .denyDelete(true)
                    .allowRollup(true)
                    .allowDirect(true)
                    .build();
        }
    }

    @FunctionalInterface
    interface Reader<T> {
        T read(byte[] body) throws UnreadableMessageException;
    }

    /**
     * @param revision to pass to {@link #write} as the expected one
     * @param written by NATS' clock; the bucket keeps the entry for its time from then on
     */
    public record Entry<T>(T record, long revision, Instant written) {}

    /** Creates the bucket if it is missing. The operator calls this for all buckets once it leads. */
    public void ensure() {
        final int servers = nats.connected().getServers().size();
        nats.ask(management -> new StreamKeeper(management).ensure(kind.configuration(), OptionalInt.empty(), servers));
    }

    /** The key's entry, read from the leader, so that absence is reliable. A deleted entry is absent. */
    public Optional<Entry<T>> read(String key) {
        return last(key).filter(message -> !isMarker(message)).map(message -> entry(key, message));
    }

    /** Somebody has deleted the entry, and nobody has written another: it is not merely forgotten. */
    public boolean isFreed(String key) {
        return last(key).filter(CasBucket::isMarker).isPresent();
    }

    private Entry<T> entry(String key, MessageInfo message) {
        try {
            return new Entry<>(
                    kind.reader().read(message.getData() == null ? new byte[0] : message.getData()),
                    message.getSeq(),
                    message.getTime().toInstant());
        } catch (UnreadableMessageException e) {
            throw QueueUnavailableException.refusal(
                    "the entry " + key + " of the bucket " + kind.bucket()
                            + " is not the operator's: delete it by 'nats kv del " + kind.bucket() + " " + key + "' ("
                            + e.getMessage() + ")",
                    e);
        }
    }

    /**
     * Writes if the entry's revision is the expected one.
     *
     * @param expectedRevision 0: there is no entry
     * @return the new revision, or empty when another write came first, which may be our own whose answer was lost
     */
    public Optional<Long> write(String key, T record, long expectedRevision) {
        final byte[] body = kind.writer().apply(record);
        final Optional<Long> written = publish(key, body, "", expectedRevision);
        return written.isPresent() || expectedRevision > 0
                ? written
                // A deleted key leaves a marker, which counts as no entry.
                : last(key).filter(CasBucket::isMarker).flatMap(marker -> publish(key, body, "", marker.getSeq()));
    }

    /** Deletes the entry if its revision is still this one. A newer entry, or none, is no error. */
    public void delete(String key, long revision) {
        publish(key, new byte[0], "DEL", revision);
    }

    private Optional<MessageInfo> last(String key) {
        return leader.lastKept(kind.stream(), kind.subject(key));
    }

    private static boolean isMarker(MessageInfo message) {
        return message.getHeaders() != null && message.getHeaders().containsKey(OPERATION);
    }

    private Optional<Long> publish(String key, byte[] body, String operation, long expectedRevision) {
        final Headers headers = new Headers();
        if (!operation.isEmpty()) {
            headers.put(OPERATION, operation);
        }
        return nats.publishFenced(
                NatsMessage.builder()
                        .subject(kind.subject(key))
                        .headers(headers)
                        .data(body)
                        .build(),
                PublishOptions.builder()
                        .expectedStream(kind.stream())
                        .expectedLastSubjectSequence(expectedRevision)
                        .build());
    }
}
