package dev.codeforge.operator.pool;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.api.WorkerPoolSpec;
import dev.codeforge.api.WorkerPoolSpec.DeletionPolicy;
import dev.codeforge.jetstream.TaskQueue;
import dev.codeforge.operator.scaling.DemandWindow;
import dev.codeforge.operator.scaling.ReplicaPlanner.Decision;
import dev.codeforge.operator.scaling.ReplicaPlanner.Why;
import dev.codeforge.operator.status.Reason;
import dev.codeforge.operator.time.Clocks;
import dev.codeforge.testing.Resources;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentBuilder;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class PoolPlannerTest {
    private static final Instant NOW = Instant.parse("2026-11-24T12:00:00Z");

    private Clock own = Clock.fixed(NOW, ZoneOffset.UTC);
    private static final WorkerPoolSpec.Scaling UP_TO_FIVE = new WorkerPoolSpec.Scaling(0, 5, 60, null, null);
    private static final QueueState AWAY = new QueueState.Broken(Reason.QueueUnavailable, "NATS is away");

    private int running;
    private List<Pod> pods = List.of();
    private List<Pod> spent = List.of();
    private Optional<Duration> serviceTime = Optional.empty();

    @Test
    void aFixedPoolHasItsReplicasWhateverTheQueue() {
        final WorkerPool pool = pool(null, DeletionPolicy.Drain);
        final Decision fixed = new Decision(1, Why.Fixed, 9, DemandWindow.EMPTY);
        assertThat(plan(pool, queue(9, 0), 0, false)).isEqualTo(new PoolPlan.Serve(fixed, List.of()));
    }

    @Test
    void aScaledPoolFollowsItsQueue() {
        final PoolPlan plan = plan(pool(UP_TO_FIVE, DeletionPolicy.Drain), queue(3, 0), 0, false);
        assertThat(((PoolPlan.Serve) plan).decision().desired()).isEqualTo(3);
    }

    @Test
    void aQueueAgeTargetSizesItByHowLongTasksRun() {
        serviceTime = Optional.of(Duration.ofSeconds(20));
        final var patient = new WorkerPoolSpec.Scaling(0, 50, 60, 60, null);
        final PoolPlan plan = plan(pool(patient, DeletionPolicy.Drain), queue(30, 0), 0, false);
        assertThat(((PoolPlan.Serve) plan).decision().desired()).isEqualTo(10);
    }

    @Test
    void itDoesNotGrowWhileAWorkerFindsNoNode() {
        pods = List.of(
                Resources.of(
                        Pod.class,
                        "{metadata: {name: pod}, status: {conditions: [{type: PodScheduled, status: 'False', reason: Unschedulable}]}}"));
        final PoolPlan plan = plan(pool(UP_TO_FIVE, DeletionPolicy.Drain), queue(5, 0), 0, false);
        assertThat(((PoolPlan.Serve) plan).decision().why()).isEqualTo(Why.Unschedulable);
        assertThat(((PoolPlan.Serve) plan).decision().desired()).isEqualTo(2);
    }

    @Test
    void itDoesNotShrinkDuringARollout() {
        final Deployment rolling =
                Resources.of(Deployment.class, "{spec: {replicas: 9}, status: {replicas: 10, updatedReplicas: 1}}");
        final PoolPlan plan =
                planned(pool(UP_TO_FIVE, DeletionPolicy.Drain), queue(0, 0), Optional.of(rolling), 0, false);
        assertThat(((PoolPlan.Serve) plan).decision().why()).isEqualTo(Why.RollingOut);
    }

    @Test
    void aSpentWorkerIsReplacedWhereAsManyAreWanted() {
        spent = List.of(pod("spent"));
        pods = List.of(pod("spent"), pod("busy"));
        assertThat(replaced(UP_TO_FIVE, queue(1, 1), workers(2, 2, 2)))
                .as("as many are wanted")
                .isEqualTo(spent);
        assertThat(replaced(UP_TO_FIVE, queue(4, 1), workers(2, 2, 2)))
                .as("more are wanted")
                .isEqualTo(spent);
        assertThat(replaced(UP_TO_FIVE, queue(0, 0), workers(2, 2, 2)))
                .as("fewer are wanted, not for long enough")
                .isEqualTo(spent);
        assertThat(replaced(UP_TO_FIVE, AWAY, workers(2, 2, 2)))
                .as("nobody knows how many are wanted")
                .isEqualTo(spent);
    }

    @Test
    void whereFewerAreWantedTheScaleDownTakesTheSpent() {
        spent = List.of(pod("spent"));
        pods = List.of(pod("spent"), pod("busy"));
        assertThat(replaced(new WorkerPoolSpec.Scaling(0, 1, 60, null, null), queue(0, 1), workers(2, 2, 2)))
                .isEmpty();
        assertThat(replaced(null, queue(9, 1), workers(2, 2, 2)))
                .as("one is wanted")
                .isEmpty();
    }

    @Test
    void nobodyIsReplacedWhileKubernetesCarriesOutANumber() {
        spent = List.of(pod("spent"));
        pods = List.of(pod("spent"), pod("busy"), pod("counted-out"));
        assertThat(replaced(UP_TO_FIVE, queue(1, 1), workers(2, 3, 3)))
                .as("one has to go yet")
                .isEmpty();
        assertThat(replaced(UP_TO_FIVE, queue(1, 1), workers(1, 3, 3)))
                .as("the number is not known to it yet")
                .isEmpty();
    }

    @Test
    void inARolloutASpentWorkerIsReplacedWhateverTheNumber() {
        spent = List.of(pod("spent"));
        pods = List.of(pod("spent"), pod("busy"), pod("new"));
        assertThat(replaced(null, queue(9, 1), workers(2, 3, 1))).isEqualTo(spent);
    }

    @Test
    void ofADeletedPoolTheSpentAreReplacedWhileItsTasksAreWaitedFor() {
        spent = List.of(pod("spent"));
        pods = List.of(pod("spent"), pod("busy"));
        final PoolPlan draining =
                planned(deleted(DeletionPolicy.Drain, 10), queue(1, 1), Optional.of(workers(2, 2, 2)), 2, false);
        assertThat(((PoolPlan.Drain) draining).replaced()).isEqualTo(spent);
    }

    private static Pod pod(String name) {
        return Resources.of(Pod.class, "{metadata: {name: " + name + "}}");
    }

    /** Two, as Kubernetes has counted them after the second change. */
    private static Deployment workers(int observed, int replicas, int updated) {
        return Resources.of(
                Deployment.class,
                "{metadata: {generation: 2}, spec: {replicas: 2}, status: {observedGeneration: %d, replicas: %d, updatedReplicas: %d}}"
                        .formatted(observed, replicas, updated));
    }

    private List<Pod> replaced(WorkerPoolSpec.Scaling scaling, QueueState queue, Deployment workers) {
        final PoolPlan plan = planned(pool(scaling, DeletionPolicy.Drain), queue, Optional.of(workers), 2, false);
        return ((PoolPlan.Serve) plan).replaced();
    }

    @Test
    void withoutAQueueNothingIsMade() {
        assertThat(planned(pool(UP_TO_FIVE, DeletionPolicy.Drain), AWAY, Optional.empty(), 0, false))
                .isEqualTo(new PoolPlan.DoNothing());
    }

    @Test
    void workersThatExistStayWhenTheQueueIsAway() {
        final PoolPlan plan = plan(pool(UP_TO_FIVE, DeletionPolicy.Drain), AWAY, 0, false);
        assertThat(((PoolPlan.Serve) plan).decision().why()).isEqualTo(Why.QueueUnavailable);
        assertThat(((PoolPlan.Serve) plan).decision().desired()).isEqualTo(2);
    }

    @Test
    void retainLetsGoAtOnce() {
        assertThat(plan(deleted(DeletionPolicy.Retain, 0), queue(9, 2), 11, false))
                .isEqualTo(new PoolPlan.ReleaseFinalizer());
    }

    @Test
    void deleteRemovesAtOnce() {
        assertThat(plan(deleted(DeletionPolicy.Delete, 0), queue(9, 0), 9, false))
                .isEqualTo(new PoolPlan.Remove(false));
    }

    @Test
    void whoRunsATaskIsAskedToStopAndWaitedForThirtySeconds() {
        running = 2;
        assertThat(plan(deleted(DeletionPolicy.Delete, 29), queue(9, 2), 11, false))
                .isInstanceOf(PoolPlan.Stop.class);
        assertThat(plan(deleted(DeletionPolicy.Delete, 30), queue(9, 2), 11, false))
                .isEqualTo(new PoolPlan.Remove(false));
        assertThat(plan(deleted(DeletionPolicy.Drain, 329), queue(0, 2), 2, false))
                .isInstanceOf(PoolPlan.Stop.class);
        assertThat(plan(deleted(DeletionPolicy.Delete, 0), queue(9, 2), 11, true))
                .isEqualTo(new PoolPlan.Remove(true));
    }

    @Test
    void drainKeepsWorkersWhileTasksWaitOrRun() {
        final PoolPlan plan = plan(deleted(DeletionPolicy.Drain, 10), queue(3, 1), 4, false);
        assertThat(((PoolPlan.Drain) plan).decision().desired()).isEqualTo(4);
    }

    @Test
    void drainWaitsForAnOutcomeThatIsNotWrittenYet() {
        assertThat(plan(deleted(DeletionPolicy.Drain, 10), queue(0, 0), 1, false))
                .isInstanceOf(PoolPlan.Drain.class);
    }

    @Test
    void aDrainedPoolIsRemoved() {
        assertThat(plan(deleted(DeletionPolicy.Drain, 10), queue(0, 0), 0, false))
                .isEqualTo(new PoolPlan.Remove(false));
    }

    @Test
    void drainEndsWithItsTime() {
        assertThat(plan(deleted(DeletionPolicy.Drain, 299), queue(3, 0), 3, false))
                .isInstanceOf(PoolPlan.Drain.class);
        assertThat(plan(deleted(DeletionPolicy.Drain, 300), queue(3, 0), 3, false))
                .isEqualTo(new PoolPlan.Remove(false));
    }

    @Test
    void noDrainTakesLongerThanTenMinutes() {
        final WorkerPool patient = draining(86_400, 600);
        assertThat(plan(patient, queue(3, 0), 3, false)).isEqualTo(new PoolPlan.Remove(true));
        assertThat(plan(draining(86_400, 599), queue(3, 0), 3, false)).isInstanceOf(PoolPlan.Drain.class);
    }

    @ParameterizedTest
    @EnumSource(
            value = DeletionPolicy.class,
            names = {"Drain", "Delete"})
    void aTerminatingNamespaceIsNotKeptWaiting(DeletionPolicy policy) {
        assertThat(plan(deleted(policy, 0), queue(3, 1), 4, true)).isEqualTo(new PoolPlan.Remove(true));
        assertThat(plan(deleted(policy, 0), AWAY, 4, true)).isEqualTo(new PoolPlan.ReleaseFinalizer());
    }

    @Test
    void aDrainingPoolWhoseQueueIsAwayKeepsItsWorkers() {
        final PoolPlan plan = plan(deleted(DeletionPolicy.Drain, 10), AWAY, 0, false);
        assertThat(((PoolPlan.Drain) plan).decision().desired()).isEqualTo(2);
    }

    @Test
    void removalIsTriedUntilTheDeadlineWhenTheQueueIsAway() {
        assertThat(plan(deleted(DeletionPolicy.Delete, 599), AWAY, 1, false)).isEqualTo(new PoolPlan.Remove(false));
        assertThat(plan(deleted(DeletionPolicy.Delete, 600), AWAY, 1, false))
                .isEqualTo(new PoolPlan.ReleaseFinalizer());
    }

    @Test
    void theDeadlineIsByTheClockThatStampedTheDeletion() {
        // The operator's own is wrong either way.
        for (final Duration skew : List.of(Duration.ofMinutes(-10), Duration.ofMinutes(10))) {
            own = Clock.fixed(NOW.plus(skew), ZoneOffset.UTC);
            assertThat(plan(deleted(DeletionPolicy.Delete, 599), AWAY, 1, false))
                    .isEqualTo(new PoolPlan.Remove(false));
            assertThat(plan(deleted(DeletionPolicy.Delete, 600), AWAY, 1, false))
                    .isEqualTo(new PoolPlan.ReleaseFinalizer());
        }
    }

    private PoolPlan plan(WorkerPool pool, QueueState queue, int unfinished, boolean namespaceTerminating) {
        final Deployment two =
                new DeploymentBuilder().withNewSpec().withReplicas(2).endSpec().build();
        return planned(pool, queue, Optional.of(two), unfinished, namespaceTerminating);
    }

    @Test
    void aQueueThatIsMissingOrNotAsWantedIsProvisionedFirst() {
        final WorkerPool pool = pool(UP_TO_FIVE, DeletionPolicy.Drain);
        assertThat(decided(pool, new QueueState.Missing(), 0)).isEqualTo(new PoolPlan.Provision(false));
        assertThat(decided(pool, new QueueState.Drifted(), 0)).isEqualTo(new PoolPlan.Provision(false));
        assertThat(decided(pool, queue(3, 0), 0)).isInstanceOf(PoolPlan.Serve.class);
    }

    @Test
    void aQueueIsPausedWhileItsPoolIsSuspendedAndNoLonger() {
        final WorkerPool suspended = pool(UP_TO_FIVE, DeletionPolicy.Drain);
        suspended.setSpec(Resources.poolSpec(Map.of("backend", "command", "suspend", true)));
        assertThat(decided(suspended, queue(3, 0), 0)).isEqualTo(new PoolPlan.Provision(true));
        assertThat(decided(suspended, paused(3, 0), 0)).isInstanceOf(PoolPlan.Serve.class);
        assertThat(decided(suspended, new QueueState.Missing(), 0)).isEqualTo(new PoolPlan.Provision(true));
        assertThat(decided(pool(UP_TO_FIVE, DeletionPolicy.Drain), paused(3, 0), 0))
                .isEqualTo(new PoolPlan.Provision(false));
    }

    @Test
    void aPoolWhoseTimeIsOverHandsOutNothingMoreBeforeItsRunsAreStopped() {
        running = 1;
        assertThat(decided(deleted(DeletionPolicy.Drain, 299), queue(3, 1), 4)).isInstanceOf(PoolPlan.Drain.class);
        assertThat(decided(deleted(DeletionPolicy.Drain, 300), queue(3, 1), 4)).isEqualTo(new PoolPlan.Provision(true));
        assertThat(decided(deleted(DeletionPolicy.Drain, 300), paused(3, 1), 4)).isInstanceOf(PoolPlan.Stop.class);
        assertThat(decided(deleted(DeletionPolicy.Delete, 0), queue(3, 1), 4)).isEqualTo(new PoolPlan.Provision(true));
    }

    @Test
    void aRetainedQueueStaysAsItIsButForWhatTheSpecWants() {
        assertThat(decided(deleted(DeletionPolicy.Retain, 600), queue(3, 0), 3))
                .isEqualTo(new PoolPlan.ReleaseFinalizer());
        assertThat(decided(deleted(DeletionPolicy.Retain, 600), new QueueState.Drifted(), 3))
                .as("that it is retained may be what is not said yet")
                .isEqualTo(new PoolPlan.Provision(false));
    }

    @Test
    void ofADeletedPoolAMissingQueueIsMadeForUnfinishedTasksAlone() {
        assertThat(decided(deleted(DeletionPolicy.Drain, 10), new QueueState.Missing(), 1))
                .isEqualTo(new PoolPlan.Provision(false));
        assertThat(decided(deleted(DeletionPolicy.Drain, 10), new QueueState.Missing(), 0))
                .isEqualTo(new PoolPlan.Remove(false));
        assertThat(decided(deleted(DeletionPolicy.Delete, 0), new QueueState.Missing(), 0))
                .isEqualTo(new PoolPlan.Remove(false));
    }

    private static QueueState paused(long waiting, long running) {
        return new QueueState.Ready(new TaskQueue.Sample(waiting, running, true), 0);
    }

    private PoolPlan decided(WorkerPool pool, QueueState queue, int unfinished) {
        return decided(pool, queue, Optional.of(workers(2, 2, 2)), unfinished, false);
    }

    /** With the queue provisioned where that is planned. */
    private PoolPlan planned(
            WorkerPool pool,
            QueueState queue,
            Optional<Deployment> deployment,
            int unfinished,
            boolean namespaceTerminating) {
        final PoolPlan plan = decided(pool, queue, deployment, unfinished, namespaceTerminating);
        if (plan instanceof PoolPlan.Provision provision && queue instanceof QueueState.Ready ready) {
            final TaskQueue.Sample sample = ready.sample();
            final QueueState provisioned = new QueueState.Ready(
                    new TaskQueue.Sample(sample.waiting(), sample.running(), provision.paused()), ready.deadLetters());
            return decided(pool, provisioned, deployment, unfinished, namespaceTerminating);
        }
        return plan;
    }

    private PoolPlan decided(
            WorkerPool pool,
            QueueState queue,
            Optional<Deployment> deployment,
            int unfinished,
            boolean namespaceTerminating) {
        final Clock apiServer = Clock.fixed(NOW, ZoneOffset.UTC);
        return new PoolPlanner(new Clocks(own, own, apiServer))
                .plan(new PoolSnapshot(
                        pool,
                        queue,
                        deployment,
                        pods,
                        unfinished,
                        running,
                        namespaceTerminating,
                        Optional.empty(),
                        Optional.empty(),
                        spent,
                        serviceTime,
                        DemandWindow.EMPTY));
    }

    private static QueueState queue(long waiting, long running) {
        return new QueueState.Ready(new TaskQueue.Sample(waiting, running, false), 0);
    }

    private static WorkerPool pool(WorkerPoolSpec.Scaling scaling, DeletionPolicy policy) {
        return Resources.pool("ns", "pool", "tasks.test", scaling, policy);
    }

    /** A pool with five minutes to drain, deleted so many seconds ago. */
    private static WorkerPool deleted(DeletionPolicy policy, int secondsAgo) {
        return deleted(policy, 300, secondsAgo);
    }

    private static WorkerPool draining(int timeout, int secondsAgo) {
        return deleted(DeletionPolicy.Drain, timeout, secondsAgo);
    }

    private static WorkerPool deleted(DeletionPolicy policy, int timeout, int secondsAgo) {
        final WorkerPool pool = pool(UP_TO_FIVE, policy);
        pool.setSpec(Resources.poolSpec(Map.of(
                "backend", "command",
                "queue", Map.of("subject", "tasks.test"),
                "scaling", UP_TO_FIVE,
                "deletionPolicy", policy,
                "drainTimeoutSeconds", timeout)));
        pool.getMetadata()
                .setDeletionTimestamp(NOW.minus(Duration.ofSeconds(secondsAgo)).toString());
        return pool;
    }
}
