package dev.codeforge.operator.pool.workers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.api.WorkerPoolSpec;
import dev.codeforge.operator.settings.WorkerDefaults;
import dev.codeforge.operator.time.RecheckTimer;
import dev.codeforge.operator.tracing.TelemetrySettings;
import dev.codeforge.testing.Resources;
import dev.codeforge.testing.TestCluster;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.networking.v1.IPBlock;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicy;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.io.IOException;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The NetworkPolicy of a pool on a real API server, which enforces none. */
final class PoolNetworkIT {
    private static final String NATS = "nats://codeforge-nats.codeforge-system.svc:4222";
    private static final Instant NOON = Instant.parse("2026-11-24T12:00:00Z");

    private KubernetesClient client;
    private WorkerPool pool;

    @BeforeEach
    void pool() throws IOException {
        client = TestCluster.shared().client();
        pool = Resources.pool(TestCluster.shared().newNamespace(), "pool", null);
    }

    @ParameterizedTest
    @EnumSource(WorkerPoolSpec.EgressPolicy.class)
    void theApiServerTakesIt(WorkerPoolSpec.EgressPolicy egress) throws Exception {
        pool.setSpec(Resources.of(
                WorkerPoolSpec.class,
                """
                backend: command
                isolation: {egress: {policy: %s, allow: ['git.team.svc:8443', '.example.org', 'a.example.org:8080']}}
                template: {spec: {containers: [{name: worker, env: [{name: A, value: 'http://[fd12::1]:80/'}]}]}}
                """
                        .formatted(egress)));
        keep(network(WorkerDefaults.NONE, NOON));
        assertThat(policy().getMetadata().getLabels())
                .containsEntry("app.kubernetes.io/managed-by", "codeforge-operator")
                .containsEntry("codeforge.dev/pool", "pool");
        assertThat(policy().getSpec().getPodSelector().getMatchLabels()).containsEntry("codeforge.dev/pool", "pool");
    }

    @Test
    void theApiServersEndpointsAreLeftOut() throws Exception {
        client.resource(
                        Resources.of(
                                EndpointSlice.class,
                                """
                        metadata: {name: kubernetes, namespace: default}
                        addressType: IPv4
                        endpoints: [{addresses: [34.1.2.3]}]
                        ports: [{port: 6443}]
                        """))
                .serverSideApply();
        keep(network(WorkerDefaults.NONE, NOON));
        assertThat(ranges()).anySatisfy(range -> assertThat(range.getExcept()).contains("34.1.2.3/32"));
    }

    @Test
    void onePutAwayIsThereAgainAMinuteLater() throws Exception {
        final MovingClock clock = new MovingClock();
        final PoolNetwork network = new PoolNetwork(client, WorkerDefaults.NONE, NATS, clock);
        final RecheckTimer<Deployment> rechecks = new RecheckTimer<>();
        network.keep(pool, workers(), rechecks);
        client.resource(policy()).delete();
        network.keep(pool, workers(), rechecks);
        assertThat(policy()).isNull();
        clock.now = NOON.plusSeconds(60);
        network.keep(pool, workers(), rechecks);
        assertThat(policy()).isNotNull();
    }

    @Test
    void itGoesWithThePool() throws Exception {
        final PoolNetwork network = network(WorkerDefaults.NONE, NOON);
        keep(network);
        network.remove(pool);
        assertThat(policy()).isNull();
        network.remove(pool);
    }

    @Test
    void itStaysWithWorkersThatAreStillBusy() throws Exception {
        final PoolNetwork network = network(WorkerDefaults.NONE, NOON);
        keep(network);
        client.resource(Resources.of(
                        ServiceAccount.class,
                        "metadata: {name: default, namespace: %s}"
                                .formatted(pool.getMetadata().getNamespace())))
                .create();
        final Pod busy = client.resource(Resources.of(
                        Pod.class,
                        """
                        metadata: {name: busy, namespace: %s, labels: {codeforge.dev/pool: pool}}
                        spec: {automountServiceAccountToken: false, containers: [{name: worker, image: worker:test}]}
                        """
                                .formatted(pool.getMetadata().getNamespace())))
                .create();
        network.remove(pool);
        assertThat(policy().getMetadata().getOwnerReferences()).singleElement().satisfies(owner -> assertThat(
                        owner.getUid())
                .isEqualTo(busy.getMetadata().getUid()));
        // A pool of the same name takes it back.
        keep(network(WorkerDefaults.NONE, NOON));
        assertThat(policy().getMetadata().getOwnerReferences()).isEmpty();
    }

    @Test
    void aPlatformThatWantsNoneHasNone() throws Exception {
        keep(network(WorkerDefaults.NONE, NOON));
        keep(network(Resources.of(WorkerDefaults.class, "networkPolicy: false"), NOON));
        assertThat(policy()).isNull();
    }

    @Test
    void somebodysOwnOfThatNameIsLeftAlone() throws Exception {
        client.resource(Resources.of(
                        NetworkPolicy.class,
                        "{metadata: {name: pool-workers, namespace: %s}, spec: {podSelector: {}}}"
                                .formatted(pool.getMetadata().getNamespace())))
                .create();
        final PoolNetwork network = network(Resources.of(WorkerDefaults.class, "networkPolicy: false"), NOON);
        keep(network);
        network.remove(pool);
        assertThat(policy()).isNotNull();
    }

    private List<IPBlock> ranges() {
        return policy().getSpec().getEgress().stream()
                .flatMap(rule -> rule.getTo().stream())
                .filter(peer -> peer.getIpBlock() != null)
                .map(peer -> peer.getIpBlock())
                .toList();
    }

    private PoolNetwork network(WorkerDefaults defaults, Instant now) {
        return new PoolNetwork(client, defaults, NATS, Clock.fixed(now, ZoneOffset.UTC));
    }

    private void keep(PoolNetwork network) throws Exception {
        network.keep(pool, workers(), new RecheckTimer<>());
    }

    private Deployment workers() throws Exception {
        return new WorkerDeployment(
                        Map.of("command", "worker:test"),
                        "IfNotPresent",
                        WorkerDefaults.NONE,
                        "operator-0",
                        TelemetrySettings.OFF,
                        new NatsMounts(false))
                .of(pool, "tasks.test");
    }

    private NetworkPolicy policy() {
        return client.network()
                .v1()
                .networkPolicies()
                .inNamespace(pool.getMetadata().getNamespace())
                .withName("pool-workers")
                .get();
    }

    private static final class MovingClock extends Clock {
        private Instant now = NOON;

        @Override
        public ZoneOffset getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(java.time.ZoneId zone) {
            return this;
        }

        @Override
        public Instant instant() {
            return now;
        }
    }
}
