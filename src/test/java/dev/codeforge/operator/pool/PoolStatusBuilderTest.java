package dev.codeforge.operator.pool;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.api.WorkerPoolSpec;
import dev.codeforge.api.WorkerPoolStatus;
import dev.codeforge.jetstream.NatsAccess;
import dev.codeforge.jetstream.TaskQueue;
import dev.codeforge.operator.pool.access.AccessMemory;
import dev.codeforge.operator.pool.access.AccessRefusal;
import dev.codeforge.operator.pool.access.GivenAccess;
import dev.codeforge.operator.pool.access.NatsWall;
import dev.codeforge.operator.pool.access.WorkerAccess;
import dev.codeforge.operator.pool.workers.StartTrouble;
import dev.codeforge.operator.pool.workers.WorkerHealth;
import dev.codeforge.operator.scaling.DemandWindow;
import dev.codeforge.operator.scaling.ReplicaPlanner.Decision;
import dev.codeforge.operator.scaling.ReplicaPlanner.Why;
import dev.codeforge.operator.settings.NatsSettings;
import dev.codeforge.operator.status.Conditions;
import dev.codeforge.operator.status.Reason;
import dev.codeforge.operator.status.ReconcileError;
import dev.codeforge.testing.FakeConnections;
import dev.codeforge.testing.Resources;
import dev.codeforge.wire.DispatchKey;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentBuilder;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

final class PoolStatusBuilderTest {
    private static final NatsAccess.Password NOBODY = new NatsAccess.Password("nats://nats:4222", "", "");
    private static final Instant NOW = Instant.parse("2026-11-24T12:00:00.123Z");
    private static final QueueState QUEUE = new QueueState.Ready(new TaskQueue.Sample(4, 2, false), 3);

    private Optional<List<String>> walls = Optional.empty();
    private Optional<String> shutOut = Optional.empty();
    private Reason nats = Reason.Confined;
    private final WorkerPool pool = Resources.pool("ns", "pool", new WorkerPoolSpec.Scaling(0, 5, 60, null, null));

    @Test
    void aPoolWhoseWorkersTakeTasksIsReady() {
        final WorkerPoolStatus status = serve(QUEUE, 2, workers(2, 2));
        assertVerdict(status, "Ready", "WorkersReady");
        assertThat(status.replicas()).isEqualTo(2);
        assertThat(status.readyReplicas()).isEqualTo(2);
        assertThat(status.selector()).isEqualTo("codeforge.dev/pool=pool");
        assertThat(status.queue())
                .isEqualTo(new WorkerPoolStatus.Queue(
                        "tasks_ns_pool", pool.getSpec().queue().subject(), 4L, 2L));
        assertThat(status.deadLetters()).isEqualTo(3);
    }

    @Test
    void aPoolIsIsolatedWhenItsWorkersSaySo() {
        assertThat(Conditions.find(serve(QUEUE, 2, workers(2, 2)).conditions(), "Isolated"))
                .isEmpty();
        walls = Optional.of(List.of());
        assertIsolated(
                serve(QUEUE, 2, workers(2, 2)),
                "True",
                "Confined",
                "Agents reach nothing but their own run. In NATS it is alone.");
        walls = Optional.of(List.of("agents can connect to any server by TCP: that needs Linux 6.7", "and more"));
        assertIsolated(
                serve(QUEUE, 2, workers(2, 2)),
                "False",
                "WallsMissing",
                "agents can connect to any server by TCP: that needs Linux 6.7; and more. Read the condition's message;"
                        + " set isolation.agent to Required to have no task run so. In NATS it is alone.");
    }

    @Test
    void whereAgentsAreConfinedTheReasonIsWhatIsOpenInNats() {
        walls = Optional.of(List.of());
        nats = Reason.SharedNatsUser;
        assertIsolated(
                serve(QUEUE, 2, workers(2, 2)),
                "True",
                "SharedNatsUser",
                "Agents reach nothing but their own run. In NATS it is alone.");
        walls = Optional.of(List.of("agents can signal their worker"));
        assertThat(condition(serve(QUEUE, 2, workers(2, 2)), "Isolated").getReason())
                .isEqualTo("WallsMissing");
    }

    @Test
    void aNumberThatScalingOverrulesIsSaidUntilItIsGone() {
        pool.setSpec(
                Resources.poolSpec(Map.of("backend", "command", "replicas", 3, "scaling", Map.of("maxReplicas", 5))));
        pool.setStatus(serve(QUEUE, 2, workers(2, 2)));
        final Condition ignored = condition(pool.getStatus(), "ReplicasIgnored");
        assertThat(ignored.getReason()).isEqualTo("ScalingDecides");
        assertThat(ignored.getMessage()).startsWith("spec.replicas is 3.");
        pool.setSpec(Resources.poolSpec(Map.of("backend", "command", "replicas", 3)));
        assertThat(Conditions.find(serve(QUEUE, 2, workers(2, 2)).conditions(), "ReplicasIgnored"))
                .isEmpty();
    }

    @Test
    void withoutWorkersTheLastWordOnItHoldsWhileTheSpecIsTheSame() {
        walls = Optional.of(List.of());
        pool.setStatus(serve(QUEUE, 2, workers(2, 2)));
        walls = Optional.empty();
        assertIsolated(
                serve(QUEUE, 0, Optional.empty()),
                "True",
                "Confined",
                "Agents reach nothing but their own run. In NATS it is alone.");
        pool.getMetadata().setGeneration(pool.getMetadata().getGeneration() + 1);
        assertThat(Conditions.find(serve(QUEUE, 0, Optional.empty()).conditions(), "Isolated"))
                .isEmpty();
    }

    @Test
    void aPoolThatIsOffIsNotIsolatedWhateverItsWorkersSay() {
        pool.setSpec(Resources.poolSpec(Map.of("backend", "command", "isolation", Map.of("agent", "Off"))));
        walls = Optional.of(List.of());
        assertIsolated(
                serve(QUEUE, 0, Optional.empty()),
                "False",
                "IsolationOff",
                Reason.IsolationOff.sentence() + " In NATS it is alone.");
    }

    private static void assertIsolated(WorkerPoolStatus status, String verdict, String reason, String message) {
        final Condition condition = condition(status, "Isolated");
        assertThat(List.of(condition.getStatus(), condition.getReason(), condition.getMessage()))
                .containsExactly(verdict, reason, message);
    }

    @Test
    void aPoolAtZeroIsReady() {
        assertVerdict(serve(QUEUE, 0, Optional.empty()), "Ready", "ScaledToZero");
    }

    @Test
    void aPoolWhoseWorkersStartIsReconciling() {
        final WorkerPoolStatus status = serve(QUEUE, 3, workers(3, 1));
        assertVerdict(status, "Reconciling", "WorkersStarting");
        assertThat(condition(status, "Ready").getMessage()).isEqualTo("1 of 3 workers take tasks.");
    }

    @Test
    void aPoolWhoseWorkersNatsMayRefuseSaysWhy() {
        shutOut = Optional.of("The account of namespace ns is not as wanted: nobody answered");
        assertVerdict(serve(QUEUE, 2, workers(2, 2)), "Ready", "WorkersReady");
        final WorkerPoolStatus status = serve(QUEUE, 3, workers(3, 1));
        assertVerdict(status, "Reconciling", "NatsAccountPending");
        assertThat(condition(status, "Ready").getMessage())
                .isEqualTo(shutOut.orElseThrow() + ". " + Reason.NatsAccountPending.remedy());
    }

    @Test
    void aWorkerThatCannotStartStallsThePoolAndSaysWhy() {
        final WorkerPoolStatus status = build(QUEUE, served(2), workers(2, 1), List.of(broken()));
        assertVerdict(status, "Stalled", "WorkersFailing");
        assertThat(condition(status, "Ready").getMessage()).contains("ImagePullBackOff", "no such image");
    }

    @Test
    void aClusterThatTakesNoPodStallsThePoolAndSaysWhy() {
        final WorkerPoolStatus status = serve(
                QUEUE,
                2,
                refused("pods \"w-1\" is forbidden: exceeded quota: compute, requested: cpu=2, limited: cpu=1"));
        assertVerdict(status, "Stalled", "WorkersRefused");
        assertThat(condition(status, "Stalled").getMessage())
                .startsWith("pods \"w-1\" is forbidden: exceeded quota")
                .endsWith(Reason.WorkersRefused.remedy());
    }

    @Test
    void whatWasRefusedWhileAllWantedWorkersAreThereIsNoMatter() {
        assertVerdict(build(QUEUE, served(0), refused("forbidden"), List.of()), "Ready", "ScaledToZero");
    }

    @Test
    void anErrorThatMayPassIsSaidAtOnceAndStallsThePoolWhenItLasts() {
        final List<Pod> pods = List.of(pulling("dial tcp 10.0.0.1:443: i/o timeout"));
        final WorkerPoolStatus first = build(QUEUE, served(2), workers(2, 1), pods);
        assertVerdict(first, "Reconciling", "WorkersFailing");
        assertThat(condition(first, "Reconciling").getMessage()).contains("ErrImagePull", "i/o timeout");
        final WorkerPoolStatus later = build(NOW.plusSeconds(15), QUEUE, served(2), workers(2, 1), pods);
        assertVerdict(later, "Stalled", "WorkersFailing");
        pool.setStatus(later);
        // Another operator sees it for the first time.
        assertVerdict(build(QUEUE, served(2), workers(2, 1), pods), "Stalled", "WorkersFailing");
    }

    @Test
    void aPoolThatCannotBeReconciledSaysWhyAndKeepsWhatItSaid() {
        pool.setStatus(serve(QUEUE, 2, workers(2, 2)));
        final WorkerPoolStatus failed =
                builder(NOW).failed(pool, new ReconcileError(Reason.RightMissing, "cannot patch secrets", false));
        assertVerdict(failed, "Stalled", "RightMissing");
        assertThat(condition(failed, "Stalled").getMessage()).isEqualTo("cannot patch secrets");
        assertThat(failed.queue()).isEqualTo(pool.getStatus().queue());
        assertThat(failed.replicas()).isEqualTo(2);
        pool.setStatus(failed);
        assertVerdict(serve(QUEUE, 2, workers(2, 2)), "Ready", "WorkersReady");
    }

    @Test
    void anErrorThatPassesStallsNoPool() {
        final WorkerPoolStatus failed =
                builder(NOW).failed(pool, new ReconcileError(Reason.ApiServerUnavailable, "503", true));
        assertVerdict(failed, "Reconciling", "ApiServerUnavailable");
    }

    @Test
    void aStatusThatIsRefusedKeepsItsVerdictAndNumbersWithoutAnyMessage() {
        final WorkerPoolStatus refused = build(QUEUE, served(2), workers(2, 1), List.of(broken()));
        final WorkerPoolStatus smallest = builder(NOW).smallest(pool, refused, "422: no");
        assertVerdict(smallest, "Stalled", "WorkersFailing");
        assertThat(condition(smallest, "Stalled").getMessage()).isEmpty();
        assertThat(condition(smallest, "StatusRefused").getMessage()).endsWith("422: no");
        assertThat(smallest.queue()).isEqualTo(refused.queue());
        assertThat(smallest.readyReplicas()).isEqualTo(1);
        pool.setStatus(smallest);
        assertThat(Conditions.find(serve(QUEUE, 2, workers(2, 2)).conditions(), "StatusRefused"))
                .isEmpty();
    }

    @Test
    void aPoolThatDrainsSaysWhyItsTasksAreNotRun() {
        final WorkerPoolStatus status =
                build(QUEUE, new PoolOutcome.Ending(given(2)), workers(2, 1), List.of(broken()));
        assertVerdict(status, "Reconciling", "Draining");
        assertThat(condition(status, "Ready").getMessage()).contains("no such image");
    }

    @Test
    void aWorkerThatFindsNoNodeIsWaitedForAndSaidSo() {
        final WorkerPoolStatus status = build(QUEUE, served(2), workers(2, 1), List.of(homeless()));
        assertVerdict(status, "Reconciling", "WorkersUnschedulable");
        assertThat(condition(status, "Ready").getMessage()).startsWith("pod pod-2: 0/1 nodes are available.");
    }

    @Test
    void aQueueThatIsAwayIsWaitedFor() {
        final QueueState away = new QueueState.Broken(Reason.QueueUnavailable, "NATS is away");
        final WorkerPoolStatus status = serve(away, 2, workers(2, 2));
        assertVerdict(status, "Reconciling", "QueueUnavailable");
        assertThat(condition(status, "QueueReady").getStatus()).isEqualTo("False");
    }

    @Test
    void aQueueThatIsRefusedNeedsSomebody() {
        final QueueState taken = new QueueState.Broken(Reason.SubjectTaken, "stream other has it");
        assertVerdict(
                build(taken, new PoolOutcome.Untouched(), Optional.empty(), List.of()), "Stalled", "SubjectTaken");
    }

    @Test
    void aTemplateThatIsRefusedNeedsSomebody() {
        final WorkerPoolStatus status = build(QUEUE, refused(2, "spec.template is none"), workers(2, 2), List.of());
        assertVerdict(status, "Stalled", "InvalidTemplate");
        assertThat(condition(status, "Stalled").getMessage()).isEqualTo("spec.template is none");
    }

    @Test
    void aPoolThatIsDeletedDrains() {
        assertVerdict(
                build(QUEUE, new PoolOutcome.Ending(given(2)), workers(2, 2), List.of()), "Reconciling", "Draining");
    }

    @Test
    void whatTheQueueLastWasStaysWhileItIsAway() {
        pool.setStatus(serve(QUEUE, 2, workers(2, 2)));
        final WorkerPoolStatus status = serve(new QueueState.Broken(Reason.QueueUnavailable, "away"), 2, workers(2, 2));
        assertThat(status.queue()).isEqualTo(pool.getStatus().queue());
        assertThat(status.deadLetters()).isEqualTo(3);
    }

    @Test
    void aDecisionIsWrittenAnewWhenItsNumberOrReasonChangesOnly() {
        pool.setStatus(serve(QUEUE, 2, workers(2, 2)));
        final WorkerPoolStatus.ScalingDecision before = pool.getStatus().scaling();
        assertThat(before.decisionTime()).isEqualTo(NOW);
        final PoolOutcome same = served(new Decision(2, Why.Steady, 99, DemandWindow.EMPTY), Optional.empty());
        assertThat(at(NOW.plusSeconds(60), QUEUE, same).scaling()).isEqualTo(before);
        final PoolOutcome other = served(new Decision(2, Why.WorkersBusy, 99, DemandWindow.EMPTY), Optional.empty());
        assertThat(at(NOW.plusSeconds(60), QUEUE, other).scaling())
                .isEqualTo(new WorkerPoolStatus.ScalingDecision(2, "WorkersBusy", 99L, NOW.plusSeconds(60)));
    }

    @Test
    void toSayTheSameAgainIsNoNews() {
        pool.setStatus(serve(QUEUE, 2, workers(2, 2)));
        assertThat(at(NOW.plusSeconds(600), QUEUE, served(2))).isEqualTo(pool.getStatus());
    }

    private WorkerPoolStatus serve(QueueState queue, int desired, Optional<Deployment> workers) {
        return build(queue, served(desired), workers, List.of());
    }

    private PoolOutcome served(int desired) {
        return new PoolOutcome.Served(given(desired));
    }

    private PoolOutcome refused(int desired, String why) {
        return served(new Decision(desired, Why.Steady, 6, DemandWindow.EMPTY), Optional.of(why));
    }

    private PoolOutcome served(Decision decision, Optional<String> refusal) {
        return new PoolOutcome.Served(new PoolOutcome.Workforce(decision, refusal, shutOut));
    }

    private PoolOutcome.Workforce given(int desired) {
        return new PoolOutcome.Workforce(
                new Decision(desired, Why.Steady, 6, DemandWindow.EMPTY), Optional.empty(), shutOut);
    }

    private WorkerPoolStatus at(Instant now, QueueState queue, PoolOutcome outcome) {
        return build(now, queue, outcome, workers(2, 2), List.of());
    }

    private WorkerPoolStatus build(
            QueueState queue, PoolOutcome outcome, Optional<Deployment> workers, List<Pod> pods) {
        return build(NOW, queue, outcome, workers, pods);
    }

    private WorkerPoolStatus build(
            Instant now, QueueState queue, PoolOutcome outcome, Optional<Deployment> workers, List<Pod> pods) {
        return builder(now)
                .build(
                        new PoolSnapshot(
                                pool,
                                queue,
                                workers,
                                pods,
                                0,
                                0,
                                false,
                                walls,
                                WorkerHealth.trouble(workers, pods, Map.of())
                                        .map(trouble -> new StartTrouble.Seen(trouble, NOW)),
                                List.of(),
                                Optional.empty(),
                                DemandWindow.EMPTY),
                        outcome);
    }

    private PoolStatusBuilder builder(Instant now) {
        final Clock noon = Clock.fixed(NOW, ZoneOffset.UTC);
        final QueueKeeper queues = new QueueKeeper(
                new FakeConnections(new DispatchKey(new byte[32])),
                new GivenAccess(new NatsSettings.Given(NOBODY, NOBODY, true), Stream::empty),
                "tasks.agent.{backend}",
                "installation",
                noon);
        return new PoolStatusBuilder(queues, new Access(nats), Clock.fixed(now, ZoneOffset.UTC));
    }

    private static Optional<Deployment> workers(int replicas, int ready) {
        return Optional.of(new DeploymentBuilder()
                .withNewSpec()
                .withReplicas(replicas)
                .endSpec()
                .withNewStatus()
                .withReplicas(replicas)
                .withReadyReplicas(ready)
                .endStatus()
                .build());
    }

    private static Optional<Deployment> refused(String why) {
        return workers(1, 0).map(found -> new DeploymentBuilder(found)
                .editStatus()
                .addNewCondition()
                .withType("ReplicaFailure")
                .withStatus("True")
                .withReason("FailedCreate")
                .withMessage(why)
                .endCondition()
                .endStatus()
                .build());
    }

    private static Pod pulling(String why) {
        return new PodBuilder(broken())
                .editStatus()
                .editFirstContainerStatus()
                .withNewState()
                .withNewWaiting(why, "ErrImagePull")
                .endState()
                .endContainerStatus()
                .endStatus()
                .build();
    }

    private static Pod broken() {
        return new PodBuilder()
                .withNewMetadata()
                .withName("pod-1")
                .endMetadata()
                .withNewStatus()
                .addNewContainerStatus()
                .withName("worker")
                .withNewState()
                .withNewWaiting("no such image: not found", "ImagePullBackOff")
                .endState()
                .endContainerStatus()
                .endStatus()
                .build();
    }

    private static Pod homeless() {
        return Resources.of(
                Pod.class,
                """
                metadata: {name: pod-2}
                status:
                  conditions:
                  - {type: PodScheduled, status: "False", reason: Unschedulable, message: 0/1 nodes are available.}
                """);
    }

    /** Exactly this one of the three that kstatus reads is true, for this reason. */
    private static void assertVerdict(WorkerPoolStatus status, String type, String reason) {
        assertThat(Stream.of("Ready", "Reconciling", "Stalled")
                        .filter(one -> Conditions.isTrue(status.conditions(), one)))
                .containsExactly(type);
        assertThat(condition(status, "Ready").getReason()).isEqualTo(reason);
    }

    private static Condition condition(WorkerPoolStatus status, String type) {
        return Conditions.find(status.conditions(), type).orElseThrow();
    }

    private record Access(Reason nats) implements WorkerAccess {
        @Override
        public Optional<AccessRefusal> refusal(WorkerPool pool) {
            return Optional.empty();
        }

        @Override
        public Optional<String> trouble(AccessMemory memory) {
            return Optional.empty();
        }

        @Override
        public NatsWall wall(WorkerPool pool) {
            return new NatsWall(nats, "In NATS it is alone.");
        }

        @Override
        public Map<String, String> secret(WorkerPool pool, AccessMemory memory) {
            return Map.of();
        }

        @Override
        public void withdraw(WorkerPool pool, AccessMemory memory, boolean namespaceEnds) {}
    }
}
