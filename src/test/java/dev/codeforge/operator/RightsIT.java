package dev.codeforge.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.operator.pool.FinalizerRelease;
import dev.codeforge.operator.runtime.OperatorSettings;
import dev.codeforge.operator.tracing.TelemetrySettings;
import dev.codeforge.testing.ChartRights;
import dev.codeforge.testing.Resources;
import dev.codeforge.testing.ScriptedWorker;
import dev.codeforge.testing.TestCluster;
import dev.codeforge.testing.TestNats;
import dev.codeforge.wire.TaskEvent;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.coordination.v1.LeaseSpec;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.extended.leaderelection.LeaderCallbacks;
import io.fabric8.kubernetes.client.extended.leaderelection.LeaderElectionConfigBuilder;
import io.fabric8.kubernetes.client.extended.leaderelection.LeaderElector;
import io.fabric8.kubernetes.client.extended.leaderelection.resourcelock.LeaseLock;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What the operator's service account may do by the chart's roles and policies, asked of a real API server. */
final class RightsIT {
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final int FORBIDDEN = 403;
    private static final String SERVED = "team-a";
    private static final String ELSEWHERE = "elsewhere";

    private static TestCluster cluster;
    private static KubernetesClient admin;
    /** Serves all namespaces. */
    private static ChartRights everywhere;
    /** Serves team-a and team-b. */
    private static ChartRights watching;

    @BeforeAll
    static void install() throws Exception {
        cluster = new TestCluster();
        admin = cluster.client();
        everywhere = ChartRights.install(cluster, "default", "codeforge-system");
        watching = ChartRights.install(cluster, "watching", "codeforge-teams");
        admin.namespaces().resource(namespace(ELSEWHERE)).create();
    }

    @AfterAll
    static void stop() {
        cluster.server().close();
    }

    @Test
    void aPoolLivesAndEndsByTheRightsOfAClusterRole() throws Exception {
        final String namespace = cluster.newNamespace();
        aPoolLivesAndEnds(everywhere, Set.of(), namespace);
    }

    @Test
    void aPoolLivesAndEndsByTheRolesOfItsNamespace() throws Exception {
        aPoolLivesAndEnds(watching, Set.of(SERVED, "team-b"), SERVED);
    }

    private static void aPoolLivesAndEnds(ChartRights rights, Set<String> watched, String namespace) throws Exception {
        try (TestNats nats = new TestNats();
                KubernetesClient client = rights.operator()) {
            final CodeforgeOperator operator = new CodeforgeOperator(settings(rights, watched, nats), client);
            operator.start();
            admin.resource(Resources.pool(namespace, "pool", null)).create();
            admin.resource(task(namespace, "task")).create();
            await().atMost(PATIENCE).until(() -> phase(namespace, "task") == Phase.Queued);
            try (ScriptedWorker worker = new ScriptedWorker(nats, namespace, "pool")) {
                worker.take();
                worker.write(TaskEvent.Kind.RUNNING);
                worker.fail("CommandFailed", "an event is written of it");
                worker.ack();
            }
            await().atMost(PATIENCE).until(() -> phase(namespace, "task") == Phase.Failed);
            assertThat(deployment(namespace)).isNotNull();
            assertThat(secret(namespace)).isNotNull();
            await().atMost(PATIENCE).until(() -> !admin.events()
                    .v1()
                    .events()
                    .inNamespace(namespace)
                    .list()
                    .getItems()
                    .isEmpty());
            await("its time to live").atMost(PATIENCE).until(() -> find(namespace, "task") == null);
            admin.resources(WorkerPool.class)
                    .inNamespace(namespace)
                    .withName("pool")
                    .delete();
            await().atMost(PATIENCE)
                    .until(() -> admin.resources(WorkerPool.class)
                                    .inNamespace(namespace)
                                    .withName("pool")
                                    .get()
                            == null);
            assertThat(deployment(namespace)).isNull();
            assertThat(secret(namespace)).isNull();
            operator.close();
        }
    }

    @Test
    void theUninstallHookStopsTheOperatorAndReleasesPools() {
        final Deployment operator = of(
                Deployment.class,
                """
                metadata: {name: codeforge-operator, namespace: codeforge-teams}
                spec:
                  replicas: 1
                  selector: {matchLabels: {app: operator}}
                  template:
                    metadata: {labels: {app: operator}}
                    spec: {containers: [{name: operator, image: operator:test}]}
                """);
        admin.resource(operator).create();
        final WorkerPool pool = Resources.pool("team-b", "left", null);
        pool.addFinalizer("codeforge.dev/workerpool");
        admin.resource(pool).create();
        try (KubernetesClient client = watching.operator()) {
            final FinalizerRelease release = new FinalizerRelease(client);
            release.stopOperator("codeforge-teams", "codeforge-operator");
            assertThat(release.release(Set.of(SERVED, "team-b"))).isEqualTo(1);
        }
        assertThat(admin.resource(operator).get().getSpec().getReplicas()).isZero();
    }

    @Test
    void theOperatorIsElected() throws Exception {
        for (final ChartRights rights : new ChartRights[] {everywhere, watching}) {
            try (KubernetesClient client = rights.operator()) {
                final CountDownLatch leads = new CountDownLatch(1);
                final LeaderElector elector = client.leaderElector()
                        .withConfig(new LeaderElectionConfigBuilder()
                                .withName("operator")
                                .withLock(new LeaseLock(rights.namespace(), "codeforge-operator", "operator-0"))
                                .withLeaseDuration(Duration.ofSeconds(2))
                                .withRenewDeadline(Duration.ofSeconds(1))
                                .withRetryPeriod(Duration.ofMillis(100))
                                .withReleaseOnCancel()
                                .withLeaderCallbacks(new LeaderCallbacks(leads::countDown, () -> {}, leader -> {}))
                                .build())
                        .build();
                final CompletableFuture<?> election = elector.start();
                assertThat(leads.await(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
                // Renewed once at least, which is another verb than to take it.
                await().atMost(PATIENCE).until(() -> lease(rights)
                        .getRenewTime()
                        .isAfter(lease(rights).getAcquireTime()));
                election.cancel(true);
            }
        }
    }

    private static LeaseSpec lease(ChartRights rights) {
        return admin.leases()
                .inNamespace(rights.namespace())
                .withName("codeforge-operator")
                .require()
                .getSpec();
    }

    @Test
    void nothingIsDoneInANamespaceThatIsNotServed() {
        try (KubernetesClient client = watching.operator()) {
            forbidden(() ->
                    client.resources(AgentTask.class).inNamespace(ELSEWHERE).list());
            forbidden(() -> client.resources(WorkerPool.class).inAnyNamespace().list());
            forbidden(() -> client.resource(workers(ELSEWHERE)).serverSideApply());
            forbidden(() ->
                    client.secrets().inNamespace(ELSEWHERE).withName("any").patch("{}"));
            forbidden(() -> client.pods().inNamespace(ELSEWHERE).list());
            forbidden(() -> client.namespaces().withName(ELSEWHERE).get());
        }
    }

    @Test
    void whatTheOperatorHasNoUseForIsNotGranted() {
        for (final ChartRights rights : new ChartRights[] {everywhere, watching}) {
            try (KubernetesClient client = rights.operator()) {
                forbidden(() -> client.secrets().inNamespace(SERVED).list());
                forbidden(() ->
                        client.secrets().inNamespace(SERVED).withName("any").get());
                forbidden(
                        () -> client.pods().inNamespace(SERVED).withName("any").get());
                forbidden(
                        () -> client.pods().inNamespace(SERVED).withName("any").delete());
                forbidden(() -> client.serviceAccounts().inNamespace(SERVED).list());
                forbidden(() -> client.namespaces().list());
                forbidden(() -> client.nodes().list());
                forbidden(() -> client.rbac().clusterRoles().list());
                forbidden(() ->
                        client.resource(Resources.pool(SERVED, "own", null)).create());
                forbidden(() -> client.apps()
                        .deployments()
                        .inNamespace(SERVED)
                        .withName("any")
                        .get());
                forbidden(() -> client.apps().statefulSets().inNamespace(SERVED).list());
            }
        }
    }

    private static void forbidden(ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(KubernetesClientException.class, refused -> assertThat(refused.getCode())
                        .isEqualTo(FORBIDDEN));
    }

    private static Deployment workers(String namespace) {
        return of(
                Deployment.class,
                """
                metadata:
                  name: pool-workers
                  namespace: %s
                  labels: {app.kubernetes.io/managed-by: codeforge-operator, codeforge.dev/pool: pool}
                spec:
                  selector: {matchLabels: {codeforge.dev/pool: pool}}
                  template:
                    metadata: {labels: {codeforge.dev/pool: pool}}
                    spec:
                      containers: [{name: worker, image: worker:test, securityContext: {privileged: true}}]
                """
                        .formatted(namespace));
    }

    private static <T> T of(Class<T> type, String yaml) {
        return Serialization.unmarshal("---\n" + yaml, type);
    }

    private static io.fabric8.kubernetes.api.model.Namespace namespace(String name) {
        return of(io.fabric8.kubernetes.api.model.Namespace.class, "metadata: {name: " + name + "}");
    }

    private static AgentTask task(String namespace, String name) {
        final AgentTask task = Resources.task(namespace, name, "pool", "ttlSecondsAfterFinished: 1");
        // Nobody applies it anew.
        task.getMetadata().setGenerateName("task-");
        return task;
    }

    private static AgentTask find(String namespace, String name) {
        return admin.resources(AgentTask.class)
                .inNamespace(namespace)
                .withName(name)
                .get();
    }

    private static Phase phase(String namespace, String name) {
        return find(namespace, name)
                .observedStatus()
                .orElseGet(AgentTaskStatus::unobserved)
                .phase();
    }

    private static Deployment deployment(String namespace) {
        return admin.apps()
                .deployments()
                .inNamespace(namespace)
                .withName("pool-workers")
                .get();
    }

    private static Secret secret(String namespace) {
        return admin.secrets().inNamespace(namespace).withName("pool-workers").get();
    }

    private static OperatorSettings settings(ChartRights rights, Set<String> watched, TestNats nats) {
        return new OperatorSettings(
                rights.namespace(),
                "operator-0",
                watched,
                nats.endpoint(),
                nats.endpoint(),
                Map.of("command", "worker:test"),
                "IfNotPresent",
                "tasks.agent.{backend}",
                false,
                1L << 20,
                Duration.ofSeconds(5),
                0,
                TelemetrySettings.OFF);
    }
}
