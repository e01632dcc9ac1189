package dev.codeforge.operator.pool;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.api.WorkerPoolSpec;
import dev.codeforge.jetstream.TaskQueue;
import dev.codeforge.operator.pool.workers.WorkerPods;
import dev.codeforge.operator.scaling.DemandWindow;
import dev.codeforge.operator.scaling.ReplicaPlanner;
import dev.codeforge.operator.scaling.Workers;
import dev.codeforge.operator.status.Reason;
import dev.codeforge.operator.time.Clocks;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentStatus;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** Decides what is done with a pool. Pure. */
final class PoolPlanner {
    private final ReplicaPlanner replicas = new ReplicaPlanner();
    private final Clock clock;
    private final Clock apiServer;

    PoolPlanner(Clocks clocks) {
        this.clock = clocks.own();
        this.apiServer = clocks.apiServer();
    }

    PoolPlan plan(PoolSnapshot snapshot) {
        final boolean paused = isPaused(snapshot.pool());
        if (needsProvision(snapshot, paused)) {
            return new PoolPlan.Provision(paused);
        }
        if (snapshot.pool().isTerminating()) {
            return end(snapshot);
        }
        return snapshot.queue() instanceof QueueState.Broken
                        && snapshot.deployment().isEmpty()
                ? new PoolPlan.DoNothing()
                : serve(snapshot);
    }

    /** The queue of a pool that is about to be removed is paused; a retained one stays as it is. */
    private boolean isPaused(WorkerPool pool) {
        return pool.getSpec().suspend()
                || (pool.isTerminating()
                        && pool.getSpec().deletionPolicy() != WorkerPoolSpec.DeletionPolicy.Retain
                        && passed(PoolDeletion.drainsUntil(pool)));
    }

    /** Also of a deleted pool: a change of the spec just before decides what becomes of its stream. */
    private static boolean needsProvision(PoolSnapshot snapshot, boolean paused) {
        return switch (snapshot.queue()) {
            case QueueState.Ready ready -> ready.sample().paused() != paused;
            case QueueState.Missing ignored -> !snapshot.pool().isTerminating() || snapshot.unfinishedTasks() > 0;
            case QueueState.Drifted ignored -> true;
            case QueueState.Broken ignored -> false;
        };
    }

    private PoolPlan serve(PoolSnapshot snapshot) {
        final ReplicaPlanner.Decision decision = decide(snapshot);
        return new PoolPlan.Serve(decision, replaced(snapshot, decision));
    }

    private PoolPlan drain(PoolSnapshot snapshot) {
        final ReplicaPlanner.Decision decision = decide(snapshot);
        return new PoolPlan.Drain(decision, replaced(snapshot, decision));
    }

    private PoolPlan end(PoolSnapshot snapshot) {
        final WorkerPool pool = snapshot.pool();
        return switch (pool.getSpec().deletionPolicy()) {
            case Retain -> new PoolPlan.ReleaseFinalizer();
            case Delete -> removal(snapshot);
            case Drain -> {
                final boolean over = neverServed(snapshot)
                        || snapshot.namespaceTerminating()
                        || passed(PoolDeletion.drainsUntil(pool))
                        || isEmpty(snapshot);
                yield over ? removal(snapshot) : drain(snapshot);
            }
        };
    }

    /** Without NATS nothing can be removed there, and the deadline must still hold. */
    private PoolPlan removal(PoolSnapshot snapshot) {
        final WorkerPool pool = snapshot.pool();
        final boolean atOnce = snapshot.namespaceTerminating() || passed(PoolDeletion.deadline(pool));
        if (snapshot.queue() instanceof QueueState.Broken) {
            return atOnce ? new PoolPlan.ReleaseFinalizer() : new PoolPlan.Remove(false);
        }
        final boolean wait = snapshot.runningTasks() > 0 && !atOnce && !passed(PoolDeletion.stopsUntil(pool));
        return wait ? new PoolPlan.Stop(decide(snapshot)) : new PoolPlan.Remove(atOnce);
    }

    private boolean passed(Instant deadline) {
        return !apiServer.instant().isBefore(deadline);
    }

    /** Its queue could not be created: there is nothing to wait for. */
    private static boolean neverServed(PoolSnapshot snapshot) {
        return snapshot.queue() instanceof QueueState.Broken broken
                && broken.reason() != Reason.QueueUnavailable
                && snapshot.unfinishedTasks() == 0;
    }

    private static boolean isEmpty(PoolSnapshot snapshot) {
        final boolean nothingStands = snapshot.queue() instanceof QueueState.Missing
                || (snapshot.queue() instanceof QueueState.Ready ready
                        && ready.sample().demand() == 0);
        return nothingStands && snapshot.unfinishedTasks() == 0;
    }

    private ReplicaPlanner.Decision decide(PoolSnapshot snapshot) {
        final WorkerPoolSpec spec = snapshot.pool().getSpec();
        final WorkerPoolSpec.Scaling scaling = spec.scaling();
        final Optional<TaskQueue.Sample> sample =
                snapshot.queue() instanceof QueueState.Ready ready ? Optional.of(ready.sample()) : Optional.empty();
        if (scaling == null) {
            return new ReplicaPlanner.Decision(
                    spec.replicas(),
                    ReplicaPlanner.Why.Fixed,
                    sample.map(TaskQueue.Sample::demand).orElse(0L),
                    DemandWindow.EMPTY);
        }
        return replicas.decide(new ReplicaPlanner.Input(
                new ReplicaPlanner.Limits(
                        scaling.minReplicas(),
                        scaling.maxReplicas(),
                        spec.tasksPerWorker(),
                        QueueKeeper.maxAckPending(spec),
                        Duration.ofSeconds(scaling.scaleDownStabilizationWindowSeconds()),
                        Optional.ofNullable(scaling.queueAgeTargetSeconds()).map(Duration::ofSeconds),
                        scaling.maxScaleUpStep() == null
                                ? OptionalInt.empty()
                                : OptionalInt.of(scaling.maxScaleUpStep())),
                sample,
                workers(snapshot),
                spec.suspend(),
                snapshot.serviceTime(),
                snapshot.window(),
                clock.instant()));
    }

    /**
     * Spent workers take no task and still count as replicas, so they are all replaced at once. The exceptions: when fewer workers
     * are wanted, the scale-down removes spent ones first. While Kubernetes carries out a lower number, a ReplicaSet that replaces a deleted
     * worker before it reads that number has one too many, and may then remove a busy one. A rollout does not count as such: nothing is scaled
     * down in it, and one that never ends must not stop the pool.
     */
    private static List<Pod> replaced(PoolSnapshot snapshot, ReplicaPlanner.Decision decision) {
        return snapshot.deployment()
                .filter(workers -> WorkerPods.rollingOut(workers)
                        || (decision.desired() >= workers.getSpec().getReplicas()
                                && WorkerPods.settled(workers, snapshot.pods())))
                .map(workers -> snapshot.spent())
                .orElse(List.of());
    }

    private static Workers workers(PoolSnapshot snapshot) {
        final Optional<DeploymentStatus> status = snapshot.deployment().map(Deployment::getStatus);
        return new Workers(
                snapshot.replicas().orElse(0),
                status.map(DeploymentStatus::getReadyReplicas).orElse(0),
                WorkerPods.unschedulable(snapshot.pods()),
                snapshot.deployment().filter(WorkerPods::rollingOut).isPresent());
    }
}
