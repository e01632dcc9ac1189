package dev.codeforge.operator.pool;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.jetstream.Connections;
import dev.codeforge.operator.index.TaskIndex;
import dev.codeforge.operator.pool.PoolMemory.Applied;
import dev.codeforge.operator.pool.PoolOutcome.Workforce;
import dev.codeforge.operator.pool.workers.InvalidTemplateException;
import dev.codeforge.operator.pool.workers.PoolNetwork;
import dev.codeforge.operator.pool.workers.PoolSecret;
import dev.codeforge.operator.pool.workers.SpentPods;
import dev.codeforge.operator.pool.workers.WorkerDeployment;
import dev.codeforge.operator.results.OperatorEvents;
import dev.codeforge.operator.scaling.ReplicaPlanner.Decision;
import dev.codeforge.operator.scaling.ScaleDown;
import dev.codeforge.operator.scaling.WorkerScale;
import dev.codeforge.operator.status.ApiRefusal;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentBuilder;
import io.fabric8.kubernetes.api.model.apps.DeploymentSpec;
import io.fabric8.kubernetes.api.model.apps.DeploymentSpecBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import java.time.Clock;
import java.util.List;
import java.util.Optional;

/** Carries a pool's plan out on the API server and in NATS. */
final class PoolExecutor {
    private static final String OPERATOR = "codeforge-operator";

    private final KubernetesClient client;
    private final QueueKeeper queues;
    private final WorkerDeployment deployments;
    private final WorkerScale scale;
    private final WorkerConfigPublisher settings;
    private final PoolFiles files;
    private final PoolNetwork network;
    private final ScaleDown scaleDown;
    private final SpentPods spent;
    private final PoolSecret secret;
    private final PoolRemoval removal;

    PoolExecutor(
            KubernetesClient client,
            Connections connections,
            QueueKeeper queues,
            WorkerDeployment deployments,
            WorkerScale scale,
            PoolFiles files,
            PoolNetwork network,
            PoolSecret secret,
            OperatorEvents events,
            TaskIndex tasks,
            Clock clock) {
        this.client = client;
        this.queues = queues;
        this.deployments = deployments;
        this.scale = scale;
        this.settings = new WorkerConfigPublisher(connections, clock);
        this.files = files;
        this.network = network;
        this.scaleDown = new ScaleDown(scale, connections, clock);
        this.spent = new SpentPods(client);
        this.secret = secret;
        this.removal = new PoolRemoval(client, connections, queues, settings, files, network, secret, events, tasks);
    }

    PoolOutcome execute(PoolSnapshot snapshot, PoolMemory memory, PoolPlan plan) {
        return switch (plan) {
            case PoolPlan.DoNothing ignored -> new PoolOutcome.Untouched();
            case PoolPlan.Provision provision ->
                new PoolOutcome.Provisioned(queues.provision(snapshot.pool(), memory.queue(), provision.paused()));
            case PoolPlan.Serve serve ->
                new PoolOutcome.Served(keepWorkers(snapshot, memory, serve.decision(), serve.replaced()));
            case PoolPlan.Drain drain ->
                new PoolOutcome.Ending(keepWorkers(snapshot, memory, drain.decision(), drain.replaced()));
            case PoolPlan.Stop stop -> {
                removal.stopRunning(snapshot.pool());
                yield new PoolOutcome.Ending(keepWorkers(snapshot, memory, stop.decision(), List.of()));
            }
            case PoolPlan.Remove remove -> {
                removal.remove(snapshot, memory, remove.letGoAnyway());
                yield new PoolOutcome.Removed();
            }
            case PoolPlan.ReleaseFinalizer ignored -> {
                removal.retain(snapshot, memory);
                yield new PoolOutcome.Removed();
            }
        };
    }

    /**
     * Brings the Deployment to the template and the decided size. The pool grows at once, and shrinks by idle workers.
     *
     * @param replaced workers to delete, so that new ones replace them
     */
    private Workforce keepWorkers(PoolSnapshot snapshot, PoolMemory memory, Decision decision, List<Pod> replaced) {
        final WorkerPool pool = snapshot.pool();
        memory.decided(decision.window());
        settings.keep(pool, memory.config());
        files.keep(pool, memory.files());
        secret.keep(
                pool, memory.secret(), memory.access(), snapshot.deployment().isEmpty());
        final Optional<String> shutOut = secret.trouble(memory.access());
        try {
            final Deployment current = keep(pool, memory, snapshot.deployment(), decision);
            return new Workforce(follow(snapshot, memory, current, decision, replaced), Optional.empty(), shutOut);
        } catch (InvalidTemplateException e) {
            // Workers of the former template still follow the queue.
            snapshot.deployment().ifPresent(workers -> follow(snapshot, memory, workers, decision, replaced));
            return new Workforce(decision, Optional.of(e.getMessage()), shutOut);
        }
    }

    private Decision follow(
            PoolSnapshot snapshot, PoolMemory memory, Deployment current, Decision decision, List<Pod> replaced) {
        final Decision done = resize(snapshot, memory, current, decision);
        spent.delete(replaced);
        return done;
    }

    private Decision resize(PoolSnapshot snapshot, PoolMemory memory, Deployment current, Decision decision) {
        final WorkerPool pool = snapshot.pool();
        final int size = size(current, decision);
        if ((!WorkerScale.owns(current) || current.getSpec().getReplicas() != size)
                && !scale.raise(pool, memory.scale(), size)) {
            // The Deployment has changed: its event leads to the next reconcile.
            return decision;
        }
        scaleDown.resumeOnce(pool, memory.scaleDown(), snapshot.pods());
        if (decision.desired() < size) {
            return scaleDown.execute(pool, memory.scaleDown(), current, snapshot.pods(), decision);
        }
        scaleDown.settle(pool, memory.scaleDown(), current, snapshot.pods());
        return decision;
    }

    /** Only growth sets a number without asking the workers. */
    private static int size(Deployment current, Decision decision) {
        return Math.max(current.getSpec().getReplicas(), decision.desired());
    }

    private Deployment keep(WorkerPool pool, PoolMemory memory, Optional<Deployment> existing, Decision decision)
            throws InvalidTemplateException {
        final Deployment wanted = deployments.of(pool, queues.subject(pool));
        network.keep(pool, wanted, memory.network());
        if (existing.isPresent() && memory.wasApplied(new Applied(wanted, withoutSize(existing.get())))) {
            return existing.get();
        }
        final Deployment current = apply(wanted, existing.or(() -> live(wanted)), decision);
        memory.applied(new Applied(wanted, withoutSize(current)));
        return current;
    }

    /** A stale cache may not show a Deployment whose workers are busy. */
    private Optional<Deployment> live(Deployment wanted) {
        return Optional.ofNullable(client.resource(wanted).get());
    }

    private static DeploymentSpec withoutSize(Deployment deployment) {
        return new DeploymentSpecBuilder(deployment.getSpec())
                .withReplicas(null)
                .build();
    }

    /** The apply has replicas until the scaler owns the field: without it, the API server would set 1. */
    private Deployment apply(Deployment wanted, Optional<Deployment> existing, Decision decision)
            throws InvalidTemplateException {
        final boolean scalerOwns = existing.filter(WorkerScale::owns).isPresent();
        final Deployment sent = scalerOwns
                ? wanted
                : new DeploymentBuilder(wanted)
                        .editSpec()
                        .withReplicas(
                                existing.map(found -> size(found, decision)).orElse(decision.desired()))
                        .endSpec()
                        .build();
        try {
            return patch(sent);
        } catch (KubernetesClientException e) {
            if (ApiRefusal.is(e)) {
                throw new InvalidTemplateException(
                        "the API server refuses spec.template, completed by the chart's workerDefaults: "
                                + e.getMessage());
            }
            throw e;
        }
    }

    /** Server-side apply; a field that does not exist is an error, not dropped. */
    private Deployment patch(Deployment deployment) {
        return client.apps()
                .deployments()
                .resource(deployment)
                .patch(new PatchContext.Builder()
                        .withPatchType(PatchType.SERVER_SIDE_APPLY)
                        .withFieldManager(OPERATOR)
                        .withFieldValidation("Strict")
                        .withForce(true)
                        .build());
    }
}
