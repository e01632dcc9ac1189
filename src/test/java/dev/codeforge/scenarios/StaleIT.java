package dev.codeforge.scenarios;

import static dev.codeforge.scenarios.EndState.WORK;
import static dev.codeforge.scenarios.Scene.eventually;
import static dev.codeforge.testing.Patience.PATIENCE;
import static dev.codeforge.testing.Patience.throughout;
import static dev.codeforge.testing.faults.ApiRequest.taskStatus;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import dev.codeforge.testing.faults.Fault;
import dev.codeforge.testing.faults.Injection;
import dev.codeforge.testing.faults.OperatorProcess;
import dev.codeforge.testing.faults.WorkerProcess;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CountDownLatch;

/** Who sees the past, or has been followed by another without knowing, does no harm: operators and a worker. */
final class StaleIT {
    private static final Map<String, String> ELECTED = Map.of("CODEFORGE_LEADER_ELECTION", "true");
    /** Longer than it takes to the first sweep. */
    private static final Duration PAST_A_SWEEP = Duration.ofSeconds(9);

    private static final Duration WHILE = Duration.ofSeconds(4);

    // Scenario 6
    @Scenario
    void watchesHeldWhileATaskRunsAndAPoolIsScaledToZeroAndBackChangeNothingInTheEnd() throws Exception {
        try (Scene scene = Scene.started()) {
            scene.installation()
                    .create(
                            """
                            apiVersion: codeforge.dev/v1alpha1
                            kind: WorkerPool
                            metadata: {name: pool}
                            spec: {backend: command, queue: {subject: %s, heartbeatTimeoutSeconds: 5}, replicas: 5}
                            """
                                    .formatted(scene.subject("pool")));
            eventually(() -> deployment(scene).getSpec().getReplicas() == 5);
            final Injection first =
                    scene.kubernetes().at(1, taskStatus("task"), new Fault.Before(scene.kubernetes()::holdWatches));
            scene.task("task", "pool", WORK, "");
            first.awaitHit(PATIENCE);
            scene.poolResource("pool").scale(0);
            scene.worker("worker", "pool");
            scene.awaitPhase("task", Phase.Succeeded);
            scene.poolResource("pool").scale(5);
            scene.kubernetes().resumeWatches();
            // All that was held back has come when a task that is created afterwards has ended.
            scene.task("after", "pool", WORK, "");
            scene.awaitPhase("after", Phase.Succeeded);
            assertThat(EndState.of(scene.status("task"))).isEqualTo(EndState.undisturbed());
            scene.assertDoneOnce("task", 3);
            eventually(() -> deployment(scene).getSpec().getReplicas() == 5);
            throughout(WHILE, () -> deployment(scene).getSpec().getReplicas() == 5);
        }
    }

    // Scenario 7
    @Scenario
    void startedAgainBeforeALaggingApiServerItPublishesNothingTwiceAndScalesNothingDown() throws Exception {
        try (Scene scene = Scene.started("pool")) {
            eventually(() -> deployment(scene).getSpec().getReplicas() == 0);
            final String past = resourceVersion(scene);
            scene.task("task", "pool", WORK, "");
            scene.awaitPhase("task", Phase.Queued);
            eventually(() -> deployment(scene).getSpec().getReplicas() == 1);
            scene.operator().kill();
            scene.kubernetes().lagBehind(past);
            scene.startOperator();
            // It knows no such task, and takes its message for an orphan's until it looks.
            throughout(
                    PAST_A_SWEEP,
                    () -> scene.broker().standing("pool") == 1
                            && deployment(scene).getSpec().getReplicas() == 1);
            scene.kubernetes().catchUp();
            scene.worker("worker", "pool");
            assertThat(EndState.of(scene.awaitPhase("task", Phase.Succeeded))).isEqualTo(EndState.undisturbed());
            scene.assertDoneOnce("task", 3);
            assertThat(scene.broker().stored("pool")).isEqualTo(1);
        }
    }

    @Scenario
    void startedAgainBeforeALaggingApiServerItRemovesNoWorkerThatItDoesNotSee() throws Exception {
        try (Scene scene = Scene.started("pool")) {
            scene.task("task", "pool", WORK, "");
            scene.awaitPhase("task", Phase.Queued);
            eventually(() -> deployment(scene).getSpec().getReplicas() == 1);
            final String past = resourceVersion(scene);
            scene.operator().kill();
            scene.installation()
                    .client()
                    .apps()
                    .deployments()
                    .inNamespace(scene.installation().namespace())
                    .withName("pool-workers")
                    .scale(4);
            scene.kubernetes().lagBehind(past);
            scene.startOperator();
            throughout(PAST_A_SWEEP, () -> deployment(scene).getSpec().getReplicas() == 4);
        }
    }

    @Scenario
    void anOperatorWhoseCacheKnowsAnEarlierAttemptLeavesTheNextOneAlone() throws Exception {
        try (Scene scene = Scene.started("pool")) {
            scene.task(
                    "task",
                    "pool",
                    "[ \"$CODEFORGE_ATTEMPT\" = 2 ] || exit 1\n" + WORK,
                    "retry: {maxAttempts: 2, backoffSeconds: 4}");
            scene.awaitPhase("task", Phase.Queued);
            final String past = resourceVersion(scene);
            final WorkerProcess failing = scene.worker("failing", "pool");
            scene.awaitPhase("task", Phase.Retrying);
            failing.kill();
            scene.awaitPhase("task", Phase.Queued);
            final AgentTaskStatus before = scene.status("task");
            final long writes = scene.writes("task");
            scene.operator().kill();
            scene.kubernetes().lagBehind(past);
            final long looks = looks(scene);
            scene.startOperator();
            eventually(() -> looks(scene) > looks + 2);
            throughout(
                    WHILE,
                    () -> scene.writes("task") == writes && scene.broker().standing("pool") == 1);
            assertThat(scene.status("task")).isEqualTo(before);
            scene.kubernetes().catchUp();
            scene.worker("worker", "pool");
            final AgentTaskStatus status = scene.awaitPhase("task", Phase.Succeeded);
            assertThat(status.attempts()).isEqualTo(2);
            assertThat(scene.broker().stored("pool")).isEqualTo(2);
            assertThat(scene.runs().of(scene.uid("task"))).hasSize(2);
            scene.assertEndedOnce("task", 6);
        }
    }

    // Scenario 12
    @Scenario
    void aLeaderStoppedPastItsLeaseWhileATaskRunsEndsWhenItGoesOn() throws Exception {
        try (Scene scene = new Scene()) {
            final OperatorProcess first = leading(scene, "first");
            final OperatorProcess second = standingBy(scene, "second");
            scene.pool("pool", "");
            scene.worker("worker", "pool");
            scene.task("task", "pool", scene.hold("go") + "\n" + WORK, "");
            scene.awaitRun("task");
            first.suspend();
            awaitLeading(second);
            scene.release("go");
            scene.awaitPhase("task", Phase.Succeeded);
            assertNothingMoreHappens(scene, first, second);
        }
    }

    // Scenario 12
    @Scenario
    void aStoppedLeadersStatusWriteThatArrivesAfterItsFollowersIsRefused() throws Exception {
        try (Scene scene = new Scene()) {
            final OperatorProcess first = leading(scene, "first");
            final OperatorProcess second = standingBy(scene, "second");
            scene.pool("pool", "");
            final CountDownLatch ended = new CountDownLatch(1);
            final Injection write = scene.kubernetes().at(1, taskStatus("task"), new Fault.Before(() -> {
                first.suspend();
                awaitUninterruptibly(ended);
            }));
            scene.task("task", "pool", WORK, "");
            write.awaitHit(PATIENCE);
            awaitLeading(second);
            scene.worker("worker", "pool");
            scene.awaitPhase("task", Phase.Succeeded);
            ended.countDown();
            assertNothingMoreHappens(scene, first, second);
        }
    }

    @Scenario
    void aRunWhoseWorkerHangsIsTimedOutByTheOperator() throws Exception {
        try (Scene scene = Scene.started("pool")) {
            final WorkerProcess worker = scene.worker("worker", "pool");
            // Long enough that the worker hangs before it would end the run itself.
            scene.task("task", "pool", "sleep 300", "runTimeoutSeconds: 30");
            scene.awaitRun("task");
            worker.suspend();
            final AgentTaskStatus status = await().atMost(PATIENCE.multipliedBy(2))
                    .until(() -> scene.status("task"), found -> found.phase() == Phase.Failed);
            assertThat(status.error().type()).isEqualTo("RunTimeout");
            assertThat(scene.broker().standing("pool")).isZero();
            // Told as well that it is asked to stop.
            scene.assertEndedOnce("task", 4);
            worker.resume();
            // Fenced: it stops its agent and reports nothing.
            eventually(() -> scene.runs().of(scene.uid("task")).stream().noneMatch(Runs.Run::isAlive));
            throughout(WHILE, () -> scene.broker().ends(scene.uid("task")).size() == 1);
            assertThat(scene.status("task")).isEqualTo(status);
        }
    }

    private static void awaitUninterruptibly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException("interrupted", e);
        }
    }

    private static void assertNothingMoreHappens(Scene scene, OperatorProcess first, OperatorProcess second)
            throws Exception {
        final long writes = scene.writes("task");
        first.resume();
        assertThat(first.awaitEnd(PATIENCE)).isNotZero();
        throughout(WHILE, () -> scene.writes("task") == writes && second.isAlive());
        assertThat(EndState.of(scene.status("task"))).isEqualTo(EndState.undisturbed());
        scene.assertDoneOnce("task", 3);
        assertThat(scene.broker().stored("pool")).isEqualTo(1);
        final var lease = scene.installation()
                .client()
                .leases()
                .inNamespace(scene.installation().namespace())
                .withName("codeforge-operator")
                .require()
                .getSpec();
        assertThat(lease.getHolderIdentity()).isEqualTo("second");
        assertThat(lease.getLeaseTransitions()).isEqualTo(1);
    }

    private static OperatorProcess leading(Scene scene, String name) {
        final OperatorProcess operator = scene.installation().operator(name, ELECTED);
        operator.start();
        awaitLeading(operator);
        return operator;
    }

    private static OperatorProcess standingBy(Scene scene, String name) {
        final OperatorProcess operator = scene.installation().operator(name, ELECTED);
        operator.start();
        operator.awaitReady();
        return operator;
    }

    private static void awaitLeading(OperatorProcess operator) {
        eventually(() -> operator.logText().contains("operator works"));
    }

    private static long looks(Scene scene) {
        return scene.operatorNats().published("$JS.API.STREAM.MSG.GET.>");
    }

    private static String resourceVersion(Scene scene) {
        return scene.installation()
                .client()
                .resources(AgentTask.class)
                .inNamespace(scene.installation().namespace())
                .list()
                .getMetadata()
                .getResourceVersion();
    }

    private static Deployment deployment(Scene scene) {
        return scene.installation()
                .client()
                .apps()
                .deployments()
                .inNamespace(scene.installation().namespace())
                .withName("pool-workers")
                .get();
    }
}
