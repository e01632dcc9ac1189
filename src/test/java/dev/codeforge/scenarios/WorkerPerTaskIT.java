package dev.codeforge.scenarios;

import static dev.codeforge.scenarios.Scene.eventually;
import static dev.codeforge.testing.Patience.throughout;
import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.Phase;
import dev.codeforge.testing.TestCluster;
import dev.codeforge.testing.faults.ControllerManager;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** A pool gives each task a worker of its own: real controllers make the pods, and real workers run the tasks. */
final class WorkerPerTaskIT {
    private static final int WRITES = 8;

    private static TestCluster cluster;
    private static ControllerManager controllers;
    private static Scene scene;

    @BeforeAll
    static void start() throws Exception {
        cluster = new TestCluster();
        controllers = new ControllerManager(cluster.server());
        scene = Scene.startedOn(cluster);
    }

    @AfterAll
    static void stop() throws Exception {
        scene.close();
        controllers.close();
        cluster.server().close();
    }

    @Scenario
    void eachOfThreeTasksHasAPodOfItsOwnAndThePoolEndsAtItsMinimum() throws Exception {
        pool("scaled", "scaling", "{minReplicas: 1, maxReplicas: 2, scaleDownStabilizationWindowSeconds: 2}");
        try (Kubelet kubelet = new Kubelet(scene, "scaled")) {
            final Set<String> used = runThree(kubelet, "scaled");
            eventually(() -> size("scaled") == 1 && isOneNewPod(kubelet, used));
            throughout(Duration.ofSeconds(5), () -> size("scaled") == 1 && isOneNewPod(kubelet, used));
            assertThat(kubelet.removedBusy()).isEmpty();
        }
    }

    @Scenario
    void aPoolOfOneWorkerRunsThreeTasksInThreePods() throws Exception {
        pool("fixed", "replicas", "1");
        try (Kubelet kubelet = new Kubelet(scene, "fixed")) {
            final Set<String> used = runThree(kubelet, "fixed");
            eventually(() -> isOneNewPod(kubelet, used));
            throughout(Duration.ofSeconds(5), () -> isOneNewPod(kubelet, used));
            assertThat(kubelet.removedBusy()).isEmpty();
        }
    }

    /** @return the pods that they ran in */
    private static Set<String> runThree(Kubelet kubelet, String pool) throws Exception {
        final List<String> tasks = List.of(pool + "-one", pool + "-two", pool + "-three");
        for (final String task : tasks) {
            scene.task(task, pool, "echo done", "");
        }
        final Set<String> used = new HashSet<>();
        for (final String task : tasks) {
            used.add(scene.awaitPhase(task, Phase.Succeeded).podName());
            scene.assertDoneOnce(task, WRITES);
        }
        assertThat(used).as("pods of three tasks").hasSize(3);
        eventually(() -> kubelet.pods().stream().noneMatch(used::contains));
        return used;
    }

    private static boolean isOneNewPod(Kubelet kubelet, Set<String> used) {
        return kubelet.pods().size() == 1 && kubelet.pods().stream().noneMatch(used::contains);
    }

    private static int size(String pool) {
        return scene.installation()
                .client()
                .apps()
                .deployments()
                .inNamespace(scene.installation().namespace())
                .withName(pool + "-workers")
                .require()
                .getSpec()
                .getReplicas();
    }

    private static void pool(String name, String field, String value) {
        scene.installation()
                .create(
                        """
                        apiVersion: codeforge.dev/v1alpha1
                        kind: WorkerPool
                        metadata: {name: %s}
                        spec:
                          backend: command
                          queue:
                            subject: %s
                            heartbeatTimeoutSeconds: %d
                          isolation: {workerPerTask: true}
                          %s: %s
                        """
                                .formatted(name, scene.subject(name), Scene.ACK_WAIT, field, value));
    }
}
