package dev.codeforge.jetstream;

import dev.codeforge.wire.Subjects;
import io.nats.client.api.AckPolicy;
import io.nats.client.api.ConsumerConfiguration;
import io.nats.client.api.DeliverPolicy;
import io.nats.client.api.DiscardPolicy;
import io.nats.client.api.PersistMode;
import io.nats.client.api.Republish;
import io.nats.client.api.RetentionPolicy;
import io.nats.client.api.Source;
import io.nats.client.api.StorageType;
import io.nats.client.api.StreamConfiguration;
import io.nats.client.api.StreamInfo;
import io.nats.client.api.SubjectTransform;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The streams that all pools share, and the operator's consumers of events and advisories. */
final class SharedStreams {
    /** How long a result is kept, and so how late an outcome can be found. */
    private static final Duration RETENTION = Duration.ofDays(7);

    static final String MAX_DELIVERIES = "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.";
    private static final String TERMINATED = "$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.";

    /** How long a repeated burial is still recognised as a duplicate. */
    private static final Duration BURIAL = Duration.ofDays(1);

    private static final String EVENTS = "events.*.*.*";
    private static final long LOG_BYTES = 1L << 30;

    /**
     * How long a line that a worker sends again is recognised as a duplicate. Short, because the server keeps each id
     * in memory and lines are many.
     */
    private static final Duration LINES_SENT_AGAIN = Duration.ofSeconds(10);

    private static final Duration ACK_WAIT = Duration.ofSeconds(60);
    private static final int IN_HAND = 10_000;

    private static final Logger LOG = LoggerFactory.getLogger(SharedStreams.class);

    private final NatsConnection nats;
    private final String installation;
    private volatile Optional<String> problem = Optional.empty();
    private volatile boolean linesToldOf;

    SharedStreams(NatsConnection nats, String installation) {
        this.nats = nats;
        this.installation = installation;
    }

    /** Contains the installation, so that two of them on one account do not take each other's results. */
    String operatorDurable() {
        return "operator-" + installation;
    }

    /** Why the streams are not as wanted; empty when they are. */
    Optional<String> problem() {
        return problem;
    }

    /** @throws QueueUnavailableException also when the server refuses a stream, for example for lack of disk space */
    void ensure() {
        try {
            make();
            problem = Optional.empty();
        } catch (QueueUnavailableException e) {
            // While NATS is away, the log of the connection says so.
            if (nats.isConnected() && !problem.equals(Optional.of(e.getMessage()))) {
                LOG.warn("results cannot be kept: {}", e.getMessage());
            }
            problem = Optional.of(e.getMessage());
            throw e;
        }
    }

    private void make() {
        final int servers = nats.connected().getServers().size();
        nats.ask(management -> {
            final StreamKeeper keeper = new StreamKeeper(management);
            // No byte limit on events: a flood from one pool must not evict another's outcome.
            keeper.ensure(
                    stream(Subjects.EVENTS_STREAM, EVENTS).maxAge(RETENTION).build(), OptionalInt.empty(), servers);
            keeper.ensure(results(), OptionalInt.empty(), servers);
            tellHowLinesAreStored(keeper.ensure(lines(), OptionalInt.empty(), servers));
            keeper.ensure(
                    stream(Subjects.DEADLETTERS_STREAM, "deadletters.*.*")
                            .duplicateWindow(BURIAL)
                            .build(),
                    OptionalInt.empty(),
                    servers);
            keeper.ensure(
                    stream(Subjects.ADVISORIES_STREAM, MAX_DELIVERIES + ">", TERMINATED + ">")
                            .maxAge(RETENTION)
                            .build(),
                    OptionalInt.empty(),
                    servers);
            for (final CasBucket.Kind<?> kind : CasBucket.ALL) {
                keeper.ensure(kind.configuration(), OptionalInt.empty(), servers);
            }
            keeper.ensureConsumer(Subjects.ADVISORIES_STREAM, consumer());
            return keeper.ensureConsumer(Subjects.EVENTS_STREAM, consumer());
        });
    }

    /**
     * Events by task alone. They are republished from this stream and not from EVENTS, so that a reader that hears of
     * an end can read it here at once.
     */
    private static StreamConfiguration results() {
        return stream(Subjects.RESULTS_STREAM)
                .sources(Source.builder()
                        .sourceName(Subjects.EVENTS_STREAM)
                        .subjectTransforms(SubjectTransform.builder()
                                .source(EVENTS)
                                .destination("results.{{wildcard(3)}}")
                                .build())
                        .build())
                .republish(republish("results.*", "results.{{wildcard(1)}}"))
                .maxAge(RETENTION)
                .build();
    }

    /** Asynchronous persistence: a crash of the server may lose the last lines. */
    private static StreamConfiguration lines() {
        return stream(Subjects.LOGS_STREAM, "logs.*.*.*")
                .maxAge(RETENTION)
                .maxBytes(LOG_BYTES)
                .republish(republish("logs.*.*.*", "results.{{wildcard(3)}}.log"))
                .duplicateWindow(LINES_SENT_AGAIN)
                .persistMode(PersistMode.Async)
                .build();
    }

    private void tellHowLinesAreStored(StreamInfo lines) {
        final StreamConfiguration is = lines.getConfiguration();
        if (is.getReplicas() == 1 && is.getPersistMode() != PersistMode.Async && !linesToldOf) {
            linesToldOf = true;
            LOG.info(
                    "stream {} is an older one, or NATS is older than 2.12: each line is written to the disk by itself,"
                            + " and agents that print much wait for it. NATS changes this for a new stream alone:"
                            + " delete it to have it recreated, without its lines",
                    Subjects.LOGS_STREAM);
        }
    }

    private static Republish republish(String source, String destination) {
        return Republish.builder().source(source).destination(destination).build();
    }

    private ConsumerConfiguration consumer() {
        return ConsumerConfiguration.builder()
                .durable(operatorDurable())
                .ackPolicy(AckPolicy.Explicit)
                .deliverPolicy(DeliverPolicy.All)
                .ackWait(ACK_WAIT)
                .maxAckPending(IN_HAND)
                .maxDeliver(-1)
                .metadata(Map.of(StreamOwner.INSTALLATION, installation))
                .build();
    }

    private static StreamConfiguration.Builder stream(String name, String... subjects) {
        return StreamConfiguration.builder()
                .name(name)
                .subjects(subjects)
                .retentionPolicy(RetentionPolicy.Limits)
                .storageType(StorageType.File)
                .discardPolicy(DiscardPolicy.Old)
                .maxAge(Duration.ZERO)
                .allowDirect(true);
    }
}
