package dev.codeforge.jetstream;

import dev.codeforge.wire.Subjects;
import io.nats.client.api.AckPolicy;
import io.nats.client.api.ConsumerConfiguration;
import io.nats.client.api.DeliverPolicy;
import io.nats.client.api.DiscardPolicy;
import io.nats.client.api.RetentionPolicy;
import io.nats.client.api.StorageType;
import io.nats.client.api.StreamConfiguration;
import java.time.Duration;

/** The streams that all pools share, and the operator's one consumer of results. */
final class SharedStreams {
    /** How long a result is kept, and with it how late an outcome may still be found. */
    private static final Duration RETENTION = Duration.ofDays(7);

    private static final long LOG_BYTES = 1L << 30;
    private static final Duration RESULT_ACK_WAIT = Duration.ofSeconds(60);
    private static final int RESULTS_IN_HAND = 10_000;

    private final NatsConnection nats;
    private final String installation;

    SharedStreams(NatsConnection nats, String installation) {
        this.nats = nats;
        this.installation = installation;
    }

    /** Named after the installation: two on one account must not take each other's results. */
    String operatorDurable() {
        return "operator-" + installation;
    }

    void ensure() {
        final int replicas = nats.connected().getServers().size() >= 3 ? 3 : 1;
        nats.ask(management -> {
            final StreamKeeper keeper = new StreamKeeper(management);
            // No byte limit on results: a neighbour's flood must not evict an outcome.
            keeper.ensure(stream(Subjects.RESULTS_STREAM, replicas, "results.*")
                    .maxAge(RETENTION)
                    .build());
            keeper.ensure(stream(Subjects.LOGS_STREAM, replicas, "results.*.log")
                    .maxAge(RETENTION)
                    .maxBytes(LOG_BYTES)
                    .build());
            keeper.ensure(stream(Subjects.DEADLETTERS_STREAM, replicas, "deadletters.*.*")
                    .build());
            keeper.ensure(stream(
                            Subjects.ADVISORIES_STREAM,
                            replicas,
                            "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.>",
                            "$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.>")
                    .maxAge(RETENTION)
                    .build());
            return keeper.ensureConsumer(
                    Subjects.RESULTS_STREAM,
                    ConsumerConfiguration.builder()
                            .durable(operatorDurable())
                            .ackPolicy(AckPolicy.Explicit)
                            .deliverPolicy(DeliverPolicy.All)
                            .ackWait(RESULT_ACK_WAIT)
                            .maxAckPending(RESULTS_IN_HAND)
                            .maxDeliver(-1)
                            .metadata(StreamKeeper.metadata(installation))
                            .build());
        });
    }

    private static StreamConfiguration.Builder stream(String name, int replicas, String... subjects) {
        return StreamConfiguration.builder()
                .name(name)
                .subjects(subjects)
                .retentionPolicy(RetentionPolicy.Limits)
                .storageType(StorageType.File)
                .discardPolicy(DiscardPolicy.Old)
                .maxAge(Duration.ZERO)
                .replicas(replicas)
                .allowDirect(true);
    }
}
