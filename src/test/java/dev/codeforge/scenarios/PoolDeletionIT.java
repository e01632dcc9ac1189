package dev.codeforge.scenarios;

import static dev.codeforge.scenarios.EndState.WORK;
import static dev.codeforge.scenarios.Scene.eventually;
import static dev.codeforge.testing.Patience.PATIENCE;
import static dev.codeforge.testing.Patience.throughout;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.codeforge.api.Phase;
import dev.codeforge.testing.faults.WorkerProcess;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.net.HttpURLConnection;
import java.time.Duration;
import java.time.Instant;

/** Pools, and namespaces that hold pools and tasks, go within bounds: in any order, with NATS up or down. */
final class PoolDeletionIT {
    private static final Duration WHILE = Duration.ofSeconds(3);

    @Scenario
    void aPoolDeletedByPolicyDeleteFailsWhatIsUnfinished() throws Exception {
        try (Scene scene = withOneRunningAndOneQueued("deletionPolicy: Delete")) {
            scene.broker().publishOutside(scene.subject("pool"), "outside", WORK);
            scene.poolResource("pool").delete();
            awaitGone(scene);
            for (final String task : new String[] {"running", "queued"}) {
                assertThat(scene.awaitPhase(task, Phase.Failed).error().type()).isEqualTo("PoolDeleted");
            }
            eventually(() -> scene.runs().of(scene.uid("running")).stream().noneMatch(Runs.Run::isAlive));
            assertThat(scene.broker().poolStreams()).isEmpty();
            assertThat(scene.runs().of(scene.uid("queued"))).isEmpty();
            // The queued one's and the outside producer's, and the running one's unless it was acknowledged before.
            assertThat(scene.broker().deadLetters("pool")).hasSizeBetween(2, 3);
            throughout(WHILE, () -> scene.phase("running") == Phase.Failed && scene.phase("queued") == Phase.Failed);
        }
    }

    @Scenario
    void aPoolDeletedByPolicyDrainWaitsForRunningAndQueuedTasks() throws Exception {
        try (Scene scene = withOneRunningAndOneQueued("")) {
            scene.poolResource("pool").delete();
            eventually(() -> scene.poolCondition("pool", "Ready").equals("Draining"));
            scene.task("late", "pool", WORK, "");
            eventually(() -> scene.reason("late").equals("PoolTerminating"));
            scene.release("go");
            scene.awaitPhase("running", Phase.Succeeded);
            scene.awaitPhase("queued", Phase.Succeeded);
            awaitGone(scene);
            assertThat(scene.broker().poolStreams()).isEmpty();
            assertThat(scene.phase("late")).isEqualTo(Phase.Pending);
        }
    }

    @Scenario
    void aPoolThatIsNotDrainedInTimeFailsTheRest() throws Exception {
        try (Scene scene = withOneRunningAndOneQueued("drainTimeoutSeconds: 3")) {
            scene.poolResource("pool").delete();
            awaitGone(scene);
            assertThat(scene.awaitPhase("running", Phase.Failed).error().type()).isEqualTo("PoolDeleted");
            assertThat(scene.awaitPhase("queued", Phase.Failed).error().type()).isEqualTo("PoolDeleted");
            eventually(() -> scene.runs().of(scene.uid("running")).stream().noneMatch(Runs.Run::isAlive));
        }
    }

    @Scenario
    void aPoolDeletedByPolicyRetainLeavesItsTasksToOneOfTheSameName() throws Exception {
        try (Scene scene = withOneRunningAndOneQueued("deletionPolicy: Retain")) {
            scene.poolResource("pool").delete();
            awaitGone(scene);
            assertThat(scene.broker().poolStreams()).hasSize(1);
            assertThat(scene.phase("running")).isEqualTo(Phase.Running);
            scene.release("go");
            scene.awaitPhase("running", Phase.Succeeded);
            scene.pool("pool", "");
            scene.awaitPhase("queued", Phase.Succeeded);
            assertThat(scene.broker().stored("pool")).isEqualTo(2);
            scene.assertDoneOnce("running", 3);
            scene.assertDoneOnce("queued", 4);
        }
    }

    @Scenario
    void aPoolMadeAnewAtOnceUnderItsNameIsServed() throws Exception {
        try (Scene scene = Scene.started()) {
            scene.pool("pool", "deletionPolicy: Delete");
            for (int i = 0; i < 10; i++) {
                scene.poolResource("pool").delete();
                createAsSoonAsItsNameIsFree(scene);
                eventually(() -> scene.poolCondition("pool", "QueueReady").equals("QueueReady"));
            }
            scene.task("task", "pool", WORK, "");
            scene.worker("worker", "pool");
            assertThat(EndState.of(scene.awaitPhase("task", Phase.Succeeded))).isEqualTo(EndState.undisturbed());
        }
    }

    @Scenario
    void aNamespaceGoesWhosePoolsAreDeletedFirst() throws Exception {
        try (Scene scene = withOneRunningAndOneQueued("")) {
            deleteNamespace(scene);
            deletePool(scene);
            deleteTasks(scene);
            awaitNamespaceEmpty(scene);
            eventually(() -> scene.broker().poolStreams().isEmpty());
            eventually(() -> scene.runs().of(scene.uid("running")).stream().noneMatch(Runs.Run::isAlive));
        }
    }

    @Scenario
    void aNamespaceGoesWhoseTasksAreDeletedFirst() throws Exception {
        try (Scene scene = withOneRunningAndOneQueued("")) {
            deleteNamespace(scene);
            deleteTasks(scene);
            deletePool(scene);
            awaitNamespaceEmpty(scene);
            eventually(() -> scene.broker().poolStreams().isEmpty());
            eventually(() -> scene.runs().of(scene.uid("running")).stream().noneMatch(Runs.Run::isAlive));
        }
    }

    @Scenario
    void aNamespaceGoesWhileNatsIsAwayWhosePoolsAreDeletedFirst() throws Exception {
        try (Scene scene = withOneRunningAndOneQueued("")) {
            scene.installation().nats().kill();
            deleteNamespace(scene);
            deletePool(scene);
            deleteTasks(scene);
            awaitNamespaceEmpty(scene);
        }
    }

    @Scenario
    void aNamespaceGoesWhileNatsIsAwayWhoseTasksAreDeletedFirst() throws Exception {
        try (Scene scene = withOneRunningAndOneQueued("")) {
            scene.installation().nats().kill();
            deleteNamespace(scene);
            deleteTasks(scene);
            deletePool(scene);
            awaitNamespaceEmpty(scene);
        }
    }

    /** On pool "pool", whose only worker is busy until "go" is released. */
    private static Scene withOneRunningAndOneQueued(String spec) throws Exception {
        final Scene scene = Scene.started();
        scene.pool("pool", spec);
        final WorkerProcess worker = scene.worker("worker", "pool");
        scene.task("running", "pool", scene.hold("go") + "\n" + WORK, "");
        scene.awaitRun("running");
        scene.task("queued", "pool", WORK, "");
        scene.awaitPhase("queued", Phase.Queued);
        assertThat(worker.isAlive()).isTrue();
        return scene;
    }

    /** No controller deletes what is in it: the test does. */
    private static void deleteNamespace(Scene scene) {
        scene.installation()
                .client()
                .namespaces()
                .withName(scene.installation().namespace())
                .delete();
    }

    private static void deletePool(Scene scene) {
        scene.poolResource("pool").delete();
    }

    private static void deleteTasks(Scene scene) {
        scene.taskResource("running").delete();
        scene.taskResource("queued").delete();
    }

    private static void createAsSoonAsItsNameIsFree(Scene scene) {
        final Instant end = Instant.now().plus(PATIENCE);
        while (true) {
            try {
                scene.installation().createPool("pool", Scene.ACK_WAIT, "deletionPolicy: Delete");
                return;
            } catch (KubernetesClientException e) {
                if (e.getCode() != HttpURLConnection.HTTP_CONFLICT
                        || Instant.now().isAfter(end)) {
                    throw e;
                }
            }
        }
    }

    private static void awaitGone(Scene scene) {
        await().atMost(PATIENCE).until(() -> scene.poolResource("pool").get() == null);
    }

    private static void awaitNamespaceEmpty(Scene scene) {
        awaitGone(scene);
        await().atMost(PATIENCE)
                .until(() -> scene.taskResource("running").get() == null
                        && scene.taskResource("queued").get() == null);
    }
}
