package dev.codeforge.operator.pool;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.api.WorkerPoolSpec;
import dev.codeforge.api.WorkerPoolStatus;
import dev.codeforge.operator.pool.access.NatsWall;
import dev.codeforge.operator.pool.access.WorkerAccess;
import dev.codeforge.operator.pool.workers.StartTrouble;
import dev.codeforge.operator.pool.workers.WorkerDeployment;
import dev.codeforge.operator.pool.workers.WorkerHealth;
import dev.codeforge.operator.scaling.ReplicaPlanner;
import dev.codeforge.operator.status.Conditions;
import dev.codeforge.operator.status.Reason;
import dev.codeforge.operator.status.ReconcileError;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentStatus;
import java.time.Clock;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;

/** The pool's status as a function of snapshot and outcome. */
final class PoolStatusBuilder {
    private static final String ISOLATED = "Isolated";
    /** True while scaling overrides a number of workers in spec.replicas. */
    private static final String REPLICAS_IGNORED = "ReplicasIgnored";

    private final QueueKeeper queues;
    private final WorkerAccess access;
    private final Clock clock;

    PoolStatusBuilder(QueueKeeper queues, WorkerAccess access, Clock clock) {
        this.queues = queues;
        this.access = access;
        this.clock = clock;
    }

    WorkerPoolStatus build(PoolSnapshot snapshot, PoolOutcome outcome) {
        final WorkerPool pool = snapshot.pool();
        final WorkerPoolStatus before = pool.observedStatus().orElseGet(WorkerPoolStatus::unobserved);
        final Optional<DeploymentStatus> workers = snapshot.deployment().map(Deployment::getStatus);
        final int replicas = workers.map(DeploymentStatus::getReplicas).orElse(0);
        final int ready = workers.map(DeploymentStatus::getReadyReplicas).orElse(0);
        // Old workers stay until new ones are ready, so a failing rollout shows here only.
        final int unavailable =
                workers.map(DeploymentStatus::getUnavailableReplicas).orElse(0);
        final Optional<ReplicaPlanner.Decision> decision = outcome.workforce().map(PoolOutcome.Workforce::decision);
        final int wanted = decision.map(ReplicaPlanner.Decision::desired).orElse(replicas);
        return new WorkerPoolStatus(
                pool.getMetadata().getGeneration(),
                conditions(
                                snapshot,
                                before,
                                outcome,
                                wanted,
                                wanted == 0 ? 0 : Math.max(0, Math.min(ready, wanted - unavailable)))
                        .list(),
                replicas,
                ready,
                WorkerDeployment.selector(pool),
                queue(snapshot, before),
                snapshot.queue() instanceof QueueState.Ready queue
                        ? (int) Math.min(Integer.MAX_VALUE, queue.deadLetters())
                        : before.deadLetters(),
                decision.map(made -> scaling(before, made)).orElse(before.scaling()));
    }

    /** The status of a pool that could not be reconciled: as it was, with the reason. */
    WorkerPoolStatus failed(WorkerPool pool, ReconcileError error) {
        final WorkerPoolStatus before = pool.observedStatus().orElseGet(WorkerPoolStatus::unobserved);
        return with(
                before,
                pool.getMetadata().getGeneration(),
                verdict(conditionsOf(pool, before), !error.passes(), error.reason(), error.message()));
    }

    /** The smallest form of a status that the API server refuses: without messages, which may quote foreign text. */
    WorkerPoolStatus smallest(WorkerPool pool, WorkerPoolStatus refused, String why) {
        final WorkerPoolStatus before = pool.observedStatus().orElseGet(WorkerPoolStatus::unobserved);
        return with(
                refused,
                refused.observedGeneration(),
                conditionsOf(pool, before).refused(refused.conditions(), why));
    }

    private Conditions conditionsOf(WorkerPool pool, WorkerPoolStatus before) {
        return new Conditions(before.conditions(), pool.getMetadata().getGeneration(), clock.instant());
    }

    private static WorkerPoolStatus with(WorkerPoolStatus status, long generation, Conditions conditions) {
        return new WorkerPoolStatus(
                generation,
                conditions.list(),
                status.replicas(),
                status.readyReplicas(),
                status.selector(),
                status.queue(),
                status.deadLetters(),
                status.scaling());
    }

    private WorkerPoolStatus.Queue queue(PoolSnapshot snapshot, WorkerPoolStatus before) {
        return snapshot.queue() instanceof QueueState.Ready ready
                ? new WorkerPoolStatus.Queue(
                        queues.stream(snapshot.pool()),
                        queues.subject(snapshot.pool()),
                        ready.sample().waiting(),
                        ready.sample().running())
                : before.queue();
    }

    /** It changes only with the number or the reason. */
    private WorkerPoolStatus.ScalingDecision scaling(WorkerPoolStatus before, ReplicaPlanner.Decision made) {
        final WorkerPoolStatus.ScalingDecision last = before.scaling();
        return last != null
                        && last.desired() == made.desired()
                        && last.reason().equals(made.why().name())
                ? last
                : new WorkerPoolStatus.ScalingDecision(
                        made.desired(),
                        made.why().name(),
                        made.demand(),
                        clock.instant().truncatedTo(ChronoUnit.MILLIS));
    }

    private Conditions conditions(
            PoolSnapshot snapshot, WorkerPoolStatus before, PoolOutcome outcome, int wanted, int ready) {
        final WorkerPool pool = snapshot.pool();
        final Conditions conditions = conditionsOf(pool, before).remove(Conditions.STATUS_REFUSED);
        final boolean suspended = pool.getSpec().suspend();
        final Reason suspension = suspended ? Reason.Suspended : Reason.NotSuspended;
        conditions.set("Suspended", suspended, suspension, suspension.meaning());
        ignoredReplicas(conditions, pool.getSpec());
        isolation(conditions, snapshot, before);
        if (snapshot.queue() instanceof QueueState.Broken broken) {
            conditions.set("QueueReady", false, broken.reason(), broken.message());
            return verdict(conditions, broken.reason() != Reason.QueueUnavailable, broken.reason(), broken.message());
        }
        conditions.set("QueueReady", true, Reason.QueueReady, Reason.QueueReady.meaning());
        final Optional<String> refusal = outcome.workforce().flatMap(PoolOutcome.Workforce::refusal);
        if (refusal.isPresent()) {
            return verdict(conditions, true, Reason.InvalidTemplate, refusal.get());
        }
        if (outcome instanceof PoolOutcome.Ending) {
            final String trouble =
                    snapshot.trouble().map(seen -> " " + said(seen.trouble())).orElse("");
            return verdict(conditions, false, Reason.Draining, Reason.Draining.sentence() + trouble);
        }
        final Optional<String> shutOut = outcome.workforce().flatMap(PoolOutcome.Workforce::shutOut);
        if (ready < wanted && shutOut.isPresent()) {
            return verdict(
                    conditions,
                    false,
                    Reason.NatsAccountPending,
                    shutOut.get() + ". " + Reason.NatsAccountPending.remedy());
        }
        if (ready < wanted && snapshot.trouble().isPresent()) {
            final StartTrouble.Seen seen = snapshot.trouble().get();
            final Reason reason = seen.trouble().reason();
            // After a restart the operator sees it for the first time again.
            final boolean stalled =
                    seen.lasts(clock.instant()) || Conditions.isTrueBy(before.conditions(), "Stalled", reason.name());
            return verdict(conditions, stalled, reason, said(seen.trouble()));
        }
        final Optional<String> noRoom = WorkerHealth.unschedulable(snapshot.pods());
        if (ready < wanted && noRoom.isPresent()) {
            // Not stalled: a node may be on its way.
            return verdict(
                    conditions,
                    false,
                    Reason.WorkersUnschedulable,
                    noRoom.get() + " " + Reason.WorkersUnschedulable.remedy());
        }
        if (ready < wanted) {
            return verdict(conditions, false, Reason.WorkersStarting, ready + " of " + wanted + " workers take tasks.");
        }
        final Reason reason = wanted == 0 ? Reason.ScaledToZero : Reason.WorkersReady;
        return conditions
                .set("Ready", true, reason, reason.meaning())
                .set("Reconciling", false, reason, "")
                .set("Stalled", false, reason, "");
    }

    private static String said(StartTrouble trouble) {
        return Conditions.beforeARemedy(trouble.message()) + ". "
                + trouble.reason().remedy();
    }

    /** A number that was scaled by hand before scaling was added must not keep an applier from adding it. */
    private static void ignoredReplicas(Conditions conditions, WorkerPoolSpec spec) {
        if (spec.scaling() == null || spec.replicas() == 1) {
            conditions.remove(REPLICAS_IGNORED);
        } else {
            conditions.set(
                    REPLICAS_IGNORED,
                    true,
                    Reason.ScalingDecides,
                    "spec.replicas is " + spec.replicas() + ". " + Reason.ScalingDecides.sentence());
        }
    }

    /** From the workers' reports; without a worker, from the last report about this generation. */
    private void isolation(Conditions conditions, PoolSnapshot snapshot, WorkerPoolStatus before) {
        final WorkerPool pool = snapshot.pool();
        final NatsWall nats = access.wall(pool);
        if (pool.getSpec().isolation().agent() == WorkerPoolSpec.AgentIsolation.Off) {
            conditions.set(
                    ISOLATED, false, Reason.IsolationOff, Reason.IsolationOff.sentence() + " " + nats.sentence());
        } else if (snapshot.walls().isPresent()) {
            final List<String> open = snapshot.walls().get();
            final String agents = open.isEmpty()
                    ? Reason.Confined.meaning()
                    : String.join("; ", open) + ". " + Reason.WallsMissing.remedy();
            conditions.set(
                    ISOLATED,
                    open.isEmpty(),
                    open.isEmpty() ? nats.reason() : Reason.WallsMissing,
                    agents + " " + nats.sentence());
        } else if (Conditions.find(before.conditions(), ISOLATED)
                .filter(said -> pool.getMetadata().getGeneration().equals(said.getObservedGeneration()))
                .isEmpty()) {
            conditions.remove(ISOLATED);
        }
    }

    private static Conditions verdict(Conditions conditions, boolean stalled, Reason reason, String message) {
        return conditions
                .set("Ready", false, reason, message)
                .set("Reconciling", !stalled, reason, stalled ? "" : message)
                .set("Stalled", stalled, reason, stalled ? message : "");
    }
}
