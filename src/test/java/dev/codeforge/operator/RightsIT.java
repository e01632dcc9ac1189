package dev.codeforge.operator;

import static dev.codeforge.testing.Patience.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.operator.pool.FinalizerRelease;
import dev.codeforge.operator.settings.OperatorSettings;
import dev.codeforge.testing.ChartRights;
import dev.codeforge.testing.Resources;
import dev.codeforge.testing.ScriptedWorker;
import dev.codeforge.testing.TestCluster;
import dev.codeforge.testing.TestNats;
import dev.codeforge.testing.TestSettings;
import dev.codeforge.testing.faults.ControllerManager;
import dev.codeforge.wire.TaskEvent;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.authorization.v1.SubjectAccessReviewBuilder;
import io.fabric8.kubernetes.api.model.coordination.v1.LeaseSpec;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicy;
import io.fabric8.kubernetes.api.model.rbac.RoleBinding;
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
    private static final int FORBIDDEN = 403;
    /** A missing parameter is told as 422. */
    private static final Set<Integer> BY_A_POLICY = Set.of(FORBIDDEN, 422);

    private static final String SERVED = "team-a";
    private static final String ELSEWHERE = "elsewhere";

    private static final String OURS = "{app.kubernetes.io/managed-by: codeforge-operator, codeforge.dev/pool: pool}";
    private static final String OURS_JSON =
            "{\"app.kubernetes.io/managed-by\":\"codeforge-operator\",\"codeforge.dev/pool\":\"pool\"}";

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
        awaitPolicies(everywhere);
        awaitPolicies(watching);
    }

    /** A policy holds some moments after it was made. */
    private static void awaitPolicies(ChartRights rights) {
        try (KubernetesClient client = rights.operator()) {
            awaitRefusal(() -> client.resource(secret(SERVED, "probe", "{}", "Opaque"))
                    .dryRun()
                    .create());
            awaitRefusal(() -> client.resource(credential(SERVED)).dryRun().create());
        }
    }

    private static void awaitRefusal(Runnable call) {
        await().atMost(PATIENCE).until(() -> {
            try {
                call.run();
                return false;
            } catch (KubernetesClientException refused) {
                return BY_A_POLICY.contains(refused.getCode());
            }
        });
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
        try (KubernetesClient client = rights.operator();
                TestNats nats = TestNats.asShipped(client, rights.namespace())) {
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
            assertThat(networkPolicy(namespace)).isNotNull();
            await().atMost(PATIENCE).until(() -> !client.events()
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
            assertThat(networkPolicy(namespace)).isNull();
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
                                .withLeaseDuration(Duration.ofSeconds(60))
                                .withRenewDeadline(Duration.ofSeconds(50))
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
            forbidden(() -> client.events().v1().events().inNamespace(ELSEWHERE).list());
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
                forbidden(() -> client.serviceAccounts().inNamespace(SERVED).list());
                forbidden(() -> client.namespaces().list());
                forbidden(() -> client.nodes().list());
                forbidden(() -> client.rbac().clusterRoles().list());
                forbidden(() ->
                        client.resource(Resources.pool(SERVED, "own", null)).create());
                forbidden(() -> client.apps().replicaSets().inNamespace(SERVED).list());
                forbidden(() -> client.apps().statefulSets().inNamespace(SERVED).list());
            }
        }
    }

    @Test
    void workersAreMadeOnlyWhereAPoolIs() {
        try (KubernetesClient client = everywhere.operator()) {
            refused("no params found", () -> client.resource(workers("kube-system"))
                    .serverSideApply());
            refused("no params found", () -> client.resource(workers("kube-system"))
                    .create());
            refused("no params found", () -> client.resource(workers(everywhere.namespace()))
                    .create());
            refused("no params found", () -> client.resource(credential("kube-system"))
                    .create());
        }
    }

    @Test
    void whatIsNoWorkersIsMadeByOthersAsBefore() {
        final Deployment theirs = workers(ELSEWHERE);
        theirs.getMetadata().setLabels(Map.of("app", "theirs"));
        assertThat(admin.resource(theirs).create().getMetadata().getUid()).isNotEmpty();
        assertThat(admin.resource(secret(ELSEWHERE, "theirs", "{}", "Opaque"))
                        .create()
                        .getMetadata()
                        .getUid())
                .isNotEmpty();
    }

    @Test
    void aSecretOfSomebodyElseIsNeitherReadNorChangedNorDeleted() throws Exception {
        final String namespace = withPool();
        admin.resource(secret(namespace, "theirs", "{app.kubernetes.io/managed-by: Helm}", "Opaque"))
                .create();
        final String path = "/api/v1/namespaces/" + namespace + "/secrets/theirs";
        final String only = "may write only secrets that are labelled";
        try (KubernetesClient client = everywhere.operator()) {
            assertThat(patch(client, path, "{}")).contains(only);
            assertThat(patch(client, path, "{\"metadata\":{\"labels\":" + OURS_JSON + "}}"))
                    .contains(only);
            refused(only, () -> client.resource(secret(namespace, "theirs", OURS, "Opaque"))
                    .forceConflicts()
                    .serverSideApply());
            refused(only, () -> client.secrets()
                    .inNamespace(namespace)
                    .withName("theirs")
                    .delete());
            refused(only, () -> client.resource(secret(namespace, "new", "{}", "Opaque"))
                    .create());
            refused("only what has the label codeforge.dev/pool", () -> client.resource(
                            secret(namespace, "new", "{app.kubernetes.io/managed-by: codeforge-operator}", "Opaque"))
                    .create());
        }
    }

    @Test
    void theSecretOfNatsIsNotRead() throws Exception {
        admin.resource(secret("codeforge-system", "codeforge-nats", "{app.kubernetes.io/managed-by: Helm}", "Opaque"))
                .create();
        try (KubernetesClient client = everywhere.operator()) {
            assertThat(patch(client, "/api/v1/namespaces/codeforge-system/secrets/codeforge-nats", "{}"))
                    .contains("may write only secrets that are labelled");
        }
    }

    @Test
    void aSecretIsNotFilledWithATokenOfAServiceAccount() {
        final String namespace = withPool();
        final Secret token = secret(namespace, "token", OURS, "kubernetes.io/service-account-token");
        token.getMetadata().setAnnotations(Map.of("kubernetes.io/service-account.name", "default"));
        makeServiceAccount(namespace);
        try (KubernetesClient client = everywhere.operator()) {
            refused("only Secrets of type Opaque", () -> client.resource(token).create());
        }
    }

    @Test
    void aDeploymentOfSomebodyElseIsNeitherChangedNorScaledNorDeleted() throws Exception {
        final String namespace = withPool();
        final Deployment theirs = workers(namespace);
        theirs.getMetadata().setName("theirs");
        theirs.getMetadata().setLabels(Map.of("app", "theirs"));
        admin.resource(theirs).create();
        final String path = "/apis/apps/v1/namespaces/" + namespace + "/deployments/theirs";
        try (KubernetesClient client = everywhere.operator()) {
            assertThat(patch(client, path, "{}")).contains("only deployments that are labelled");
            assertThat(patch(client, path + "/scale", "{\"spec\":{\"replicas\":0}}"))
                    .contains("may scale only its workers");
            refused("only deployments that are labelled", () -> client.apps()
                    .deployments()
                    .inNamespace(namespace)
                    .withName("theirs")
                    .delete());
            final Deployment misnamed = workers(namespace);
            misnamed.getMetadata().setName("other-workers");
            refused("named after the pool", () -> client.resource(misnamed).create());
        }
    }

    @Test
    void ofAPodOnlyItsPlaceInTheOrderAndItsShieldAreChanged() throws Exception {
        final String namespace = withPool();
        makeServiceAccount(namespace);
        admin.resource(pod(namespace, "worker", OURS)).create();
        admin.resource(pod(namespace, "theirs", "{}")).create();
        final String pods = "/api/v1/namespaces/" + namespace + "/pods/";
        final String cost =
                "{\"metadata\":{\"annotations\":{\"controller.kubernetes.io/pod-deletion-cost\":%s,\"note\":\"kept\"}}}";
        try (KubernetesClient client = everywhere.operator()) {
            assertThat(patch(client, pods + "worker", cost.formatted("\"-5\"")))
                    .contains("\"controller.kubernetes.io/pod-deletion-cost\":\"-5\"");
            assertThat(patch(client, pods + "worker", cost.formatted("null"))).contains("\"kind\":\"Pod\"");
            for (final String shield :
                    new String[] {"cluster-autoscaler.kubernetes.io/safe-to-evict", "karpenter.sh/do-not-disrupt"}) {
                final String change = "{\"metadata\":{\"annotations\":{\"" + shield + "\":%s}}}";
                assertThat(patch(client, pods + "worker", change.formatted("\"true\"")))
                        .contains("\"" + shield + "\":\"true\"");
                assertThat(patch(client, pods + "worker", change.formatted("null")))
                        .contains("\"kind\":\"Pod\"");
            }
            for (final String change : new String[] {
                "{\"spec\":{\"containers\":[{\"name\":\"worker\",\"image\":\"evil:1\"}]}}",
                "{\"metadata\":{\"annotations\":{\"other\":\"x\"}}}",
                "{\"metadata\":{\"labels\":{\"other\":\"x\"}}}"
            }) {
                assertThat(patch(client, pods + "worker", change)).contains("nothing of one but its annotation");
            }
            assertThat(patch(client, pods + "theirs", cost.formatted("\"-5\"")))
                    .contains("only pods that are labelled");
        }
    }

    @Test
    void aWorkersPodIsDeletedAndNoOtherAndNoneIsMade() {
        final String namespace = withPool();
        makeServiceAccount(namespace);
        admin.resource(pod(namespace, "worker", OURS)).create();
        admin.resource(pod(namespace, "theirs", "{app.kubernetes.io/managed-by: codeforge-operator}"))
                .create();
        try (KubernetesClient client = everywhere.operator()) {
            refused("only what has the label codeforge.dev/pool", () -> client.pods()
                    .inNamespace(namespace)
                    .withName("theirs")
                    .delete());
            forbidden(() -> client.resource(pod(namespace, "new", OURS)).create());
            forbidden(() -> client.pods().inNamespace(namespace).delete());
            client.pods().inNamespace(namespace).withName("worker").delete();
        }
        assertThat(admin.pods().inNamespace(namespace).withName("worker").get()).isNull();
    }

    @Test
    void aNetworkPolicyIsForThePodsOfItsPoolAlone() {
        final String namespace = withPool();
        admin.resource(networkPolicy(namespace, "theirs", "{app: theirs}", "{}"))
                .create();
        try (KubernetesClient client = everywhere.operator()) {
            refused("only networkpolicies that are labelled", () -> client.network()
                    .v1()
                    .networkPolicies()
                    .inNamespace(namespace)
                    .withName("theirs")
                    .delete());
            final String pods = "only NetworkPolicies for the pods of the pool";
            refused(pods, () -> client.resource(networkPolicy(namespace, "own", OURS, "{}"))
                    .create());
            refused(pods, () -> client.resource(
                            networkPolicy(namespace, "own", OURS, "{matchLabels: {codeforge.dev/pool: other}}"))
                    .create());
            refused("no params found", () -> client.resource(
                            networkPolicy("kube-system", "own", OURS, "{matchLabels: {codeforge.dev/pool: pool}}"))
                    .create());
            forbidden(() -> client.network()
                    .v1()
                    .networkPolicies()
                    .inNamespace(namespace)
                    .list());
        }
    }

    private static NetworkPolicy networkPolicy(String namespace, String name, String labels, String pods) {
        return of(
                NetworkPolicy.class,
                "{metadata: {name: %s, namespace: %s, labels: %s}, spec: {podSelector: %s}}"
                        .formatted(name, namespace, labels, pods));
    }

    @Test
    void theSpecOfAPoolIsItsAuthors() throws Exception {
        final String namespace = withPool();
        try (KubernetesClient client = everywhere.operator()) {
            assertThat(patch(
                            client,
                            "/apis/codeforge.dev/v1alpha1/namespaces/" + namespace + "/workerpools/pool",
                            "{\"spec\":{\"suspend\":true}}"))
                    .contains("may not change the spec of a WorkerPool");
        }
    }

    @Test
    void theConsoleReadsTasksAndPoolsWhereTheyAreServedAndNothingElse() throws Exception {
        for (final String golden : new String[] {"console", "console-watching"}) {
            final boolean all = golden.equals("console");
            final ChartRights rights =
                    ChartRights.install(cluster, golden, all ? everywhere.namespace() : watching.namespace());
            final String user = "system:serviceaccount:" + rights.namespace() + ":codeforge-console";
            for (final String resource : new String[] {"agenttasks", "workerpools"}) {
                for (final String verb : new String[] {"get", "list", "watch"}) {
                    assertThat(may(user, verb, resource, SERVED)).as(user).isTrue();
                    assertThat(may(user, verb, resource, ELSEWHERE)).as(user).isEqualTo(all);
                }
                for (final String verb : new String[] {"create", "update", "patch", "delete"}) {
                    assertThat(may(user, verb, resource, SERVED)).as(user).isFalse();
                    assertThat(may(user, verb, resource + "/status", SERVED))
                            .as(user)
                            .isFalse();
                }
            }
            // A caller's right, which is asked for with the caller's own token.
            assertThat(may(user, "get", "agenttasks/log", SERVED)).as(user).isFalse();
            try (KubernetesClient client = rights.as(user, "system:serviceaccounts", "system:authenticated")) {
                forbidden(() -> client.secrets().inNamespace(rights.namespace()).list());
                forbidden(() -> client.pods().inNamespace(SERVED).list());
                forbidden(() -> client.namespaces().list());
                forbidden(() -> client.leases().inNamespace(rights.namespace()).list());
            }
        }
    }

    @Test
    void viewersReadEditorsMakeTasksAndOnlyPoolEditorsMakePools() throws Exception {
        final String namespace = withPool();
        try (AutoCloseable aggregation =
                new ControllerManager(cluster.server(), "clusterrole-aggregation-controller")) {
            for (final String role : new String[] {"view", "edit", "admin", "codeforge-pool-editor"}) {
                admin.resource(of(
                                RoleBinding.class,
                                """
                                metadata: {name: %1$s, namespace: %2$s}
                                roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: %1$s}
                                subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: %1$s}]
                                """
                                        .formatted(role, namespace)))
                        .create();
            }
            for (final String user : new String[] {"view", "edit", "admin"}) {
                await(user).atMost(PATIENCE).until(() -> may(user, "list", "agenttasks", namespace));
            }
        }
        for (final String user : new String[] {"view", "edit", "admin", "codeforge-pool-editor"}) {
            final boolean poolEditor = user.equals("codeforge-pool-editor");
            final boolean taskEditor = user.equals("edit") || user.equals("admin");
            assertThat(may(user, "watch", "workerpools", namespace)).as(user).isTrue();
            assertThat(may(user, "get", "agenttasks/log", namespace)).as(user).isTrue();
            for (final String verb : new String[] {"create", "patch", "delete"}) {
                assertThat(may(user, verb, "agenttasks", namespace)).as(user).isEqualTo(taskEditor);
                assertThat(may(user, verb, "workerpools", namespace)).as(user).isEqualTo(poolEditor);
            }
            assertThat(may(user, "patch", "workerpools/scale", namespace))
                    .as(user)
                    .isEqualTo(poolEditor);
            assertThat(may(user, "patch", "agenttasks/status", namespace))
                    .as(user)
                    .isFalse();
            assertThat(may(user, "list", "workerpools", ELSEWHERE)).as(user).isFalse();
        }
    }

    private static boolean may(String user, String verb, String resource, String namespace) {
        final String[] parts = resource.split("/");
        return admin.authorization()
                .v1()
                .subjectAccessReview()
                .create(new SubjectAccessReviewBuilder()
                        .withNewSpec()
                        .withUser(user)
                        .withNewResourceAttributes()
                        .withGroup("codeforge.dev")
                        .withResource(parts[0])
                        .withSubresource(parts.length > 1 ? parts[1] : "")
                        .withVerb(verb)
                        .withNamespace(namespace)
                        .endResourceAttributes()
                        .endSpec()
                        .build())
                .getStatus()
                .getAllowed();
    }

    /** The API server's answer; the client's own patch reads the object first. */
    private static String patch(KubernetesClient client, String path, String change) throws Exception {
        final String type = path.contains("/pods/") ? "strategic-merge-patch" : "merge-patch";
        return client.getHttpClient()
                .sendAsync(
                        client.getHttpClient()
                                .newHttpRequestBuilder()
                                .uri(client.getMasterUrl() + path.substring(1))
                                .method("PATCH", "application/" + type + "+json", change)
                                .build(),
                        String.class)
                .get()
                .bodyString();
    }

    private static void makeServiceAccount(String namespace) {
        admin.resource(of(ServiceAccount.class, "metadata: {name: default, namespace: %s}".formatted(namespace)))
                .create();
    }

    /** By a policy, in these words. */
    private static void refused(String words, ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOfSatisfying(KubernetesClientException.class, refused -> {
            assertThat(BY_A_POLICY).contains(refused.getCode());
            assertThat(refused.getMessage()).contains(words);
        });
    }

    /** A namespace with a pool that no operator serves. */
    private static String withPool() {
        final String namespace = cluster.newNamespace();
        admin.resource(Resources.pool(namespace, "pool", null)).create();
        return namespace;
    }

    private static Secret credential(String namespace) {
        return secret(namespace, "pool-workers", OURS, "Opaque");
    }

    private static Secret secret(String namespace, String name, String labels, String type) {
        return of(
                Secret.class,
                "{metadata: {name: %s, namespace: %s, labels: %s}, type: %s}".formatted(name, namespace, labels, type));
    }

    private static Pod pod(String namespace, String name, String labels) {
        return of(
                Pod.class,
                """
                metadata: {name: %s, namespace: %s, annotations: {note: kept}, labels: %s}
                spec: {automountServiceAccountToken: false, containers: [{name: worker, image: worker:test}]}
                """
                        .formatted(name, namespace, labels));
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
                    spec: {hostPID: true, containers: [{name: worker, image: worker:test}]}
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

    private static NetworkPolicy networkPolicy(String namespace) {
        return admin.network()
                .v1()
                .networkPolicies()
                .inNamespace(namespace)
                .withName("pool-workers")
                .get();
    }

    private static Secret secret(String namespace) {
        return admin.secrets().inNamespace(namespace).withName("pool-workers").get();
    }

    private static OperatorSettings settings(ChartRights rights, Set<String> watched, TestNats nats) {
        return TestSettings.of(rights.namespace(), "operator-0", watched, nats, false);
    }
}
