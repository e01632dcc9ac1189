package dev.codeforge.operator.sweep;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.jetstream.Files;
import dev.codeforge.jetstream.StreamOwner;
import dev.codeforge.testing.FaultyApiServer;
import dev.codeforge.testing.Resources;
import dev.codeforge.testing.ServedPool;
import dev.codeforge.wire.Subjects;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.client.dsl.base.CustomResourceDefinitionContext;
import io.nats.client.api.StreamConfiguration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What becomes of a stream when its pool went while NATS was away. */
final class LeftoverSweepIT {
    private static final String FILES = Subjects.filesStream(ServedPool.NAMESPACE, ServedPool.POOL);
    private final FaultyApiServer apiServer =
            new FaultyApiServer(CustomResourceDefinitionContext.fromCustomResourceType(WorkerPool.class));
    private ServedPool pool;
    private Instant now = Instant.parse("2026-11-24T09:00:00Z");

    @BeforeEach
    void start() throws Exception {
        pool = new ServedPool();
        pool.connections
                .files()
                .ensure(new Files.Settings(
                        ServedPool.NAMESPACE,
                        ServedPool.POOL,
                        1 << 20,
                        OptionalInt.empty(),
                        new StreamOwner(ServedPool.INSTALLATION, false)));
    }

    @AfterEach
    void stop() {
        pool.close();
        apiServer.close();
    }

    @Test
    void theStreamOfAPoolThatIsGoneGoesAfterTenMinutesAndItsMessagesAreKept() throws Exception {
        apiServer
                .client()
                .secrets()
                .inNamespace(ServedPool.NAMESPACE)
                .resource(new SecretBuilder()
                        .withNewMetadata()
                        .withName("pool-workers")
                        .endMetadata()
                        .build())
                .create();
        pool.queue.publishOutside("outside");
        pool.publish(Resources.task(ServedPool.NAMESPACE, "deleted", ServedPool.POOL), 1);
        forgetPool();
        final LeftoverSweep sweep = sweep(Set.of());
        sweep.run();
        after(LeftoverSweep.PATIENCE.toSeconds() - 1, sweep);
        assertThat(streams()).contains(ServedPool.STREAM, FILES);
        after(120, sweep);
        assertThat(streams()).doesNotContain(ServedPool.STREAM, FILES);
        assertThat(pool.deadLetters()).isEqualTo(2);
        assertThat(apiServer
                        .client()
                        .secrets()
                        .inNamespace(ServedPool.NAMESPACE)
                        .list()
                        .getItems())
                .isEmpty();
    }

    @Test
    void aPoolThatIsBackInTheMeantimeKeepsItsStream() throws Exception {
        final WorkerPool there = pool.resource();
        forgetPool();
        final LeftoverSweep sweep = sweep(Set.of());
        sweep.run();
        pool.pools.put(there);
        after(LeftoverSweep.PATIENCE.toSeconds(), sweep);
        forgetPool();
        after(LeftoverSweep.PATIENCE.toSeconds(), sweep);
        assertThat(streams()).contains(ServedPool.STREAM, FILES);
    }

    @Test
    void aPoolThatOnlyTheCacheDoesNotKnowKeepsItsStream() throws Exception {
        apiServer.client().resource(pool.resource()).create();
        forgetPool();
        sweepWhatIsOld(Set.of());
        assertThat(streams()).contains(ServedPool.STREAM, FILES);
    }

    @Test
    void aStreamThatTasksWaitInStays() throws Exception {
        pool.publish(pool.queued("waiting", 1, 1), 1);
        forgetPool();
        sweepWhatIsOld(Set.of());
        assertThat(streams()).contains(ServedPool.STREAM).doesNotContain(FILES);
        assertThat(pool.queue.messages()).isEqualTo(1);
    }

    @Test
    void whatIsToBeRetainedStays() throws Exception {
        mark(Map.of("codeforge.dev/installation", ServedPool.INSTALLATION, "codeforge.dev/retained", "true"));
        forgetPool();
        sweepWhatIsOld(Set.of());
        assertThat(streams()).contains(ServedPool.STREAM);
    }

    /** Nobody knows whether its pool was retained. */
    @Test
    void whatAnEarlierVersionMadeStays() throws Exception {
        mark(Map.of("codeforge.dev/installation", ServedPool.INSTALLATION));
        forgetPool();
        sweepWhatIsOld(Set.of());
        assertThat(streams()).contains(ServedPool.STREAM);
    }

    @Test
    void whatAnotherClusterMadeStays() throws Exception {
        mark(Map.of("codeforge.dev/installation", "another-cluster", "codeforge.dev/retained", "false"));
        forgetPool();
        sweepWhatIsOld(Set.of());
        assertThat(streams()).contains(ServedPool.STREAM);
    }

    @Test
    void whatIsNotServedHereStays() throws Exception {
        forgetPool();
        sweepWhatIsOld(Set.of("elsewhere"));
        assertThat(streams()).contains(ServedPool.STREAM, FILES);
    }

    private void forgetPool() {
        pool.pools.remove(pool.resource());
    }

    private void sweepWhatIsOld(Set<String> served) {
        final LeftoverSweep sweep = sweep(served);
        sweep.run();
        after(LeftoverSweep.PATIENCE.toSeconds(), sweep);
    }

    private void after(long seconds, LeftoverSweep sweep) {
        now = now.plusSeconds(seconds);
        sweep.run();
    }

    private LeftoverSweep sweep(Set<String> served) {
        final InstantSource clock = () -> now;
        return new LeftoverSweep(
                pool.index(),
                pool.poolIndex(),
                apiServer.client(),
                pool.connections,
                ServedPool.INSTALLATION,
                served,
                clock.withZone(ZoneOffset.UTC));
    }

    private void mark(Map<String, String> metadata) throws Exception {
        final var management = pool.client.jetStreamManagement();
        management.updateStream(StreamConfiguration.builder(
                        management.getStreamInfo(ServedPool.STREAM).getConfiguration())
                .metadata(metadata)
                .build());
    }

    private List<String> streams() throws Exception {
        return pool.client.jetStreamManagement().getStreamNames();
    }
}
