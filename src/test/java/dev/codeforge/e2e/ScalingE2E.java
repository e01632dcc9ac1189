package dev.codeforge.e2e;

import static dev.codeforge.testing.Patience.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.operator.status.Conditions;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Pods follow the queue, kubectl or an autoscaler, and none of them loses its task for it. */
final class ScalingE2E {
    @AutoClose
    private final Platform platform = new Platform();

    @Test
    void aPoolShrinksAroundItsBusyWorker() {
        platform.pool("pool", 4, "case $(cat) in *long) sleep 90;; *) sleep 2;; esac");
        // By itself: a pool's own time is its pods' grace, and that of a namespace's deletion.
        platform.task("long", "pool", "runTimeoutSeconds: 300");
        List.of("one", "two", "three").forEach(task -> platform.task(task, "pool"));
        eventually(() -> platform.poolStatus("pool").replicas() == 4);
        platform.awaitPhase("long", Phase.Running);
        final String busy = platform.status("long").podName();
        List.of("one", "two", "three").forEach(platform::awaitFinished);
        platform.awaitWorkers("pool", 1);
        assertThat(platform.status("long").phase()).isEqualTo(Phase.Running);
        assertThat(alive("pool")).containsExactly(busy);
        final AgentTaskStatus status = platform.awaitFinished("long");
        assertThat(status.phase()).as("%s", status.error()).isEqualTo(Phase.Succeeded);
        assertThat(status.podName()).isEqualTo(busy);
        assertThat(status.deliveries()).isEqualTo(1);
        platform.awaitWorkers("pool", 0);
    }

    @Test
    void aRolloutEndsNoRun() {
        platform.pool("pool", 1, "sleep 12; cat");
        platform.task("task", "pool");
        platform.awaitPhase("task", Phase.Running);
        final String busy = platform.status("task").podName();
        platform.client
                .resources(WorkerPool.class)
                .inNamespace(platform.namespace)
                .withName("pool")
                .patch(
                        PatchContext.of(PatchType.JSON_MERGE),
                        "{\"spec\":{\"template\":{\"metadata\":{\"labels\":{\"version\":\"2\"}}}}}");
        eventually(() -> alive("pool").stream().anyMatch(pod -> !pod.equals(busy)));
        final AgentTaskStatus status = platform.awaitFinished("task");
        assertThat(status.phase()).as("%s", status.error()).isEqualTo(Phase.Succeeded);
        assertThat(status.podName()).isEqualTo(busy);
        assertThat(status.deliveries()).isEqualTo(1);
    }

    @Test
    void workersThatFindNoNodeAreToldAndNoMoreAreAskedFor() {
        platform.poolWithContainer(
                "pool",
                10,
                "{\"name\":\"worker\",\"args\":[\"run\",\"--\",\"cat\"],\"resources\":{\"requests\":{\"cpu\":\"1000\"}}}");
        List.of("one", "two").forEach(task -> platform.task(task, "pool"));
        assertThat(platform.awaitReady("pool", "WorkersUnschedulable").getMessage())
                .contains("Insufficient cpu");
        List.of("three", "four", "five").forEach(task -> platform.task(task, "pool"));
        eventually(() -> platform.poolStatus("pool").scaling().reason().equals("Unschedulable"));
        assertThat(platform.poolStatus("pool").scaling().desired()).isEqualTo(2);
        assertThat(Conditions.isTrue(platform.poolStatus("pool").conditions(), "Stalled"))
                .isFalse();
    }

    @Test
    void kubectlScalesAFixedPoolAndAnApplierThatLeavesReplicasOutLeavesItSo(@TempDir Path folder) throws Exception {
        final Path manifest = folder.resolve("pool.yaml");
        Files.writeString(
                manifest,
                """
                apiVersion: codeforge.dev/v1alpha1
                kind: WorkerPool
                metadata: {name: fixed}
                spec:
                  backend: command
                  queue:
                    subject: tasks.%s.fixed
                  deletionPolicy: Delete
                  template: {spec: {containers: [{name: worker, args: [run, --, cat]}]}}
                """
                        .formatted(platform.namespace));
        assertThat(apply(manifest).exitCode()).isZero();
        platform.awaitWorkers("fixed", 1);
        assertThat(platform.kubectl("scale", "workerpool/fixed", "--replicas=3").output())
                .contains("scaled");
        platform.awaitWorkers("fixed", 3);
        assertThat(apply(manifest).exitCode()).isZero();
        assertThat(platform.client
                        .resources(WorkerPool.class)
                        .inNamespace(platform.namespace)
                        .withName("fixed")
                        .require()
                        .getSpec()
                        .replicas())
                .isEqualTo(3);
        assertThat(platform.kubectl("scale", "workerpool/fixed", "--replicas=1").exitCode())
                .isZero();
        platform.awaitWorkers("fixed", 1);
    }

    private Platform.Kubectl apply(Path manifest) throws Exception {
        return platform.kubectl("apply", "--server-side", "--field-manager=gitops", "--filename", manifest.toString());
    }

    @Test
    void aNumberSetByHandYieldsToScalingAndAConditionSaysSo() throws Exception {
        platform.pool("pool", 1, "cat");
        platform.awaitReady("pool", "ScaledToZero");
        assertThat(platform.kubectl("scale", "workerpool/pool", "--replicas=3").exitCode())
                .isZero();
        assertThat(platform.kubectl("wait", "workerpool/pool", "--for=condition=ReplicasIgnored", "--timeout=60s")
                        .exitCode())
                .isZero();
        platform.awaitWorkers("pool", 0);
    }

    @Test
    void anAutoscalerOwnsAFixedPool() {
        platform.create(
                """
                apiVersion: codeforge.dev/v1alpha1
                kind: WorkerPool
                metadata: {name: fixed}
                spec:
                  backend: command
                  queue:
                    subject: tasks.%s.fixed
                  deletionPolicy: Delete
                  template: {spec: {containers: [{name: worker, args: [run, --, cat]}]}}
                ---
                apiVersion: autoscaling/v2
                kind: HorizontalPodAutoscaler
                metadata: {name: fixed}
                spec:
                  scaleTargetRef: {apiVersion: codeforge.dev/v1alpha1, kind: WorkerPool, name: fixed}
                  minReplicas: 2
                  maxReplicas: 3
                """
                        .formatted(platform.namespace));
        platform.awaitWorkers("fixed", 2);
    }

    private static void eventually(Callable<Boolean> condition) {
        await().atMost(PATIENCE).ignoreExceptions().until(condition);
    }

    private List<String> alive(String pool) {
        return platform
                .client
                .pods()
                .inNamespace(platform.namespace)
                .withLabel("codeforge.dev/pool", pool)
                .list()
                .getItems()
                .stream()
                .filter(pod -> pod.getMetadata().getDeletionTimestamp() == null)
                .map((Pod pod) -> pod.getMetadata().getName())
                .toList();
    }
}
