package dev.codeforge.operator;

import static dev.codeforge.testing.Patience.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.codeforge.api.Names;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.operator.status.Conditions;
import dev.codeforge.testing.Resources;
import dev.codeforge.testing.TestCluster;
import dev.codeforge.testing.TestNats;
import dev.codeforge.testing.TestSettings;
import dev.codeforge.testing.faults.ControllerManager;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.ResourceQuota;
import io.fabric8.kubernetes.api.model.events.v1.Event;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A pool says why its pods do not start. API server, quota, Pod Security and the controllers that make pods are real; what a
 * kubelet says of a pod is written by the test.
 */
final class StartTroubleIT {
    private static TestCluster cluster;
    private static TestNats nats;
    private static KubernetesClient client;
    private static ControllerManager controllers;
    private static CodeforgeOperator operator;
    private String namespace;

    @BeforeAll
    static void start() throws Exception {
        cluster = new TestCluster();
        client = cluster.client();
        nats = new TestNats();
        controllers = new ControllerManager(
                cluster.server(),
                "deployment-controller,replicaset-controller,serviceaccount-controller,resourcequota-controller");
        operator =
                new CodeforgeOperator(TestSettings.of(cluster.newNamespace(), "test", Set.of(), nats, false), client);
        operator.start();
    }

    @AfterAll
    static void stop() {
        operator.close();
        controllers.close();
        nats.close();
        cluster.server().close();
    }

    @BeforeEach
    void namespace() {
        namespace = cluster.newNamespace();
    }

    @Test
    void aQuotaThatLeavesNoRoomStallsThePoolUntilItDoes() {
        final ResourceQuota quota = client.resource(
                        Resources.of(ResourceQuota.class, "metadata: {name: none}\nspec: {hard: {pods: '0'}}"))
                .inNamespace(namespace)
                .create();
        await().atMost(PATIENCE)
                .until(() -> client.resource(quota).get().getStatus() != null
                        && client.resource(quota).get().getStatus().getHard() != null);
        pool("");
        assertThat(awaitStalled("WorkersRefused").getMessage())
                .contains("exceeded quota: none")
                .endsWith("raise the quota, or correct spec.template or the chart's workerDefaults.");
        client.resource(quota).delete();
        awaitReason("WorkersStarting");
    }

    @Test
    void aPodThatPodSecurityForbidsStallsThePool() {
        client.namespaces().withName(namespace).edit(found -> {
            found.getMetadata().setLabels(java.util.Map.of("pod-security.kubernetes.io/enforce", "restricted"));
            return found;
        });
        pool("template: {spec: {hostNetwork: true, containers: [{name: worker}]}}");
        assertThat(awaitStalled("WorkersRefused").getMessage()).contains("violates PodSecurity");
    }

    @Test
    void anAccountThatDoesNotExistStallsThePool() {
        pool("template: {spec: {serviceAccountName: nobody, containers: [{name: worker}]}}");
        assertThat(awaitStalled("WorkersRefused").getMessage()).contains("serviceaccount \"nobody\" not found");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    containerStatuses     | worker  | CreateContainerConfigError | secret "model-key" not found
                    containerStatuses     | worker  | CreateContainerConfigError | configmap "settings" not found
                    containerStatuses     | worker  | RunContainerError          | exec: "wrker": executable file not found in $PATH
                    containerStatuses     | worker  | ErrImagePull               | worker:none: not found
                    initContainerStatuses | prepare | CrashLoopBackOff           | back-off 10s restarting failed container
                    """)
    void aContainerThatCannotStartStallsThePool(String statuses, String container, String reason, String why) {
        pool("");
        tell(pod(), statuses, container, reason, why);
        assertThat(awaitStalled("WorkersFailing").getMessage())
                .contains("container " + container + ": " + reason + ": " + why);
    }

    @Test
    void aWorkerForOneTaskThatCannotStartStallsThePool() {
        pool("isolation: {workerPerTask: true}");
        tell(pod(), "containerStatuses", "worker", "CreateContainerError", "invalid mount");
        assertThat(awaitStalled("WorkersFailing").getMessage()).contains("invalid mount");
    }

    @Test
    void aVolumeThatCannotBeMountedStallsThePool() {
        pool("");
        final Pod pod = pod();
        tell(pod, "containerStatuses", "worker", "ContainerCreating", "");
        client.resource(Resources.of(
                        Event.class,
                        """
                                metadata: {name: pod.1, namespace: %1$s}
                                type: Warning
                                reason: FailedMount
                                note: 'MountVolume.SetUp failed for volume "key" : secret "model-key" not found'
                                action: Mounting
                                eventTime: "2026-11-24T12:00:00.000000Z"
                                reportingController: kubelet
                                reportingInstance: node-1
                                regarding: {apiVersion: v1, kind: Pod, namespace: %1$s, name: %2$s, uid: %3$s}"""
                                .formatted(
                                        namespace,
                                        pod.getMetadata().getName(),
                                        pod.getMetadata().getUid())))
                .create();
        assertThat(awaitStalled("WorkersFailing").getMessage())
                .contains("FailedMount", "secret \"model-key\" not found", "correct spec.template");
    }

    @Test
    void anImageThatIsNotPulledYetStallsThePoolOnlyWhenThatLasts() {
        pool("");
        final Pod pod = pod();
        tell(pod, "containerStatuses", "worker", "ErrImagePull", "dial tcp 10.0.0.1:443: i/o timeout");
        awaitReason("WorkersFailing");
        assertThat(condition("Reconciling").orElseThrow().getMessage()).contains("i/o timeout");
        awaitStalled("WorkersFailing");
        tell(pod, "containerStatuses", "worker", "ContainerCreating", "");
        awaitReason("WorkersStarting");
    }

    private void pool(String fields) {
        client.resource(Resources.of(
                        WorkerPool.class,
                        """
                                metadata: {name: pool, namespace: %1$s}
                                spec:
                                  backend: command
                                  queue:
                                    subject: tasks.%1$s.pool
                                  replicas: 1
                                %2$s"""
                                .formatted(namespace, fields.indent(2))))
                .create();
    }

    /** The pod that the controllers made. */
    private Pod pod() {
        return await().atMost(PATIENCE)
                .until(
                        () ->
                                client
                                        .pods()
                                        .inNamespace(namespace)
                                        .withLabel(Names.POOL_LABEL, "pool")
                                        .list()
                                        .getItems()
                                        .stream()
                                        .findFirst(),
                        Optional::isPresent)
                .orElseThrow();
    }

    private void tell(Pod pod, String statuses, String container, String reason, String message) {
        client.resource(pod)
                .subresource("status")
                .patch(
                        PatchContext.of(PatchType.JSON_MERGE),
                        """
                        {"status":{"phase":"Pending","%s":[{"name":"%s","image":"worker","imageID":"","ready":false,
                          "restartCount":0,"state":{"waiting":{"reason":"%s","message":"%s"}}}]}}"""
                                .formatted(statuses, container, reason, message.replace("\"", "\\\"")));
    }

    /** With an Event of the same reason. */
    private Condition awaitStalled(String reason) {
        await().atMost(PATIENCE).until(() -> condition("Stalled")
                .filter(stalled -> "True".equals(stalled.getStatus()) && reason.equals(stalled.getReason()))
                .isPresent());
        await().atMost(PATIENCE)
                .until(() -> client.events().v1().events().inNamespace(namespace).list().getItems().stream()
                        .anyMatch(event -> reason.equals(event.getReason())
                                && "pool".equals(event.getRegarding().getName())));
        return condition("Stalled").orElseThrow();
    }

    private void awaitReason(String reason) {
        await().atMost(PATIENCE).until(() -> condition("Ready")
                .filter(ready -> reason.equals(ready.getReason()))
                .isPresent());
    }

    private Optional<Condition> condition(String type) {
        return Optional.ofNullable(client.resources(WorkerPool.class)
                        .inNamespace(namespace)
                        .withName("pool")
                        .get())
                .flatMap(WorkerPool::observedStatus)
                .flatMap(status -> Conditions.find(status.conditions(), type));
    }
}
