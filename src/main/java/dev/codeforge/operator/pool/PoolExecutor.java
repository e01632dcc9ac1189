package dev.codeforge.operator.pool;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.jetstream.Connections;
import dev.codeforge.jetstream.Results;
import dev.codeforge.jetstream.WorkerControl;
import dev.codeforge.operator.pool.PoolMemory.Applied;
import dev.codeforge.operator.pool.workers.InvalidTemplateException;
import dev.codeforge.operator.pool.workers.PoolNetwork;
import dev.codeforge.operator.pool.workers.PoolSecret;
import dev.codeforge.operator.pool.workers.SpentPods;
import dev.codeforge.operator.pool.workers.WorkerDeployment;
import dev.codeforge.operator.scaling.ReplicaPlanner.Decision;
import dev.codeforge.operator.scaling.ScaleDown;
import dev.codeforge.operator.scaling.WorkerScale;
import dev.codeforge.operator.status.ApiRefusal;
import dev.codeforge.operator.task.OperatorEvents;
import dev.codeforge.operator.task.TaskIndex;
import dev.codeforge.wire.TaskEvent;
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
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Carries a pool's plan out on the API server and in NATS. */
final class PoolExecutor {
    private static final String OPERATOR = "codeforge-operator";
    private static final String POOL_DELETED = "PoolDeleted";
    private static final Duration CONTROL_TIMEOUT = Duration.ofSeconds(2);

    private final KubernetesClient client;
    private final Connections connections;
    private final QueueKeeper queues;
    private final WorkerDeployment deployments;
    private final WorkerScale scale;
    private final WorkerConfigPublisher settings;
    private final PoolFiles files;
    private final PoolNetwork network;
    private final ScaleDown scaleDown;
    private final SpentPods spent;
    private final PoolSecret secret;
    private final OperatorEvents events;

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
            Clock clock) {
        this.client = client;
        this.connections = connections;
        this.queues = queues;
        this.deployments = deployments;
        this.scale = scale;
        this.settings = new WorkerConfigPublisher(connections, clock);
        this.files = files;
        this.network = network;
        this.scaleDown = new ScaleDown(scale, connections, clock);
        this.spent = new SpentPods(client);
        this.secret = secret;
        this.events = events;
    }

    /**
     * Brings the Deployment to the template and the decided size. It grows at once, and shrinks by workers that are idle.
     *
     * @param replaced workers in whose place others are to come
     * @return the decision as far as it could be carried out
     */
    Decision serve(PoolSnapshot snapshot, PoolMemory memory, Decision decision, List<Pod> replaced)
            throws InvalidTemplateException {
        final WorkerPool pool = snapshot.pool();
        settings.keep(pool, memory.config());
        files.keep(pool, memory.files());
        secret.keep(
                pool, memory.secret(), memory.access(), snapshot.deployment().isEmpty());
        final Deployment current;
        try {
            current = keep(pool, memory, snapshot.deployment(), decision);
        } catch (InvalidTemplateException e) {
            // Workers of the template before go on following the queue.
            snapshot.deployment().ifPresent(workers -> follow(snapshot, memory, workers, decision, replaced));
            throw e;
        }
        return follow(snapshot, memory, current, decision, replaced);
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

    /** Only growing is done by a number alone. */
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

    /** A cache that is behind may not show a Deployment whose workers are busy. */
    private Optional<Deployment> live(Deployment wanted) {
        return Optional.ofNullable(client.resource(wanted).get());
    }

    private static DeploymentSpec withoutSize(Deployment deployment) {
        return new DeploymentSpecBuilder(deployment.getSpec())
                .withReplicas(null)
                .build();
    }

    /** Replicas go along until the scaler owns them: left out before, the API server would set them to 1. */
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

    /** Asks whoever runs a task of the pool to stop its agent: so what was used and done is still told. */
    void stopRunning(WorkerPool pool, PoolMemory memory, TaskIndex tasks) {
        final String namespace = pool.getMetadata().getNamespace();
        // The deadline may have passed since the queue was observed: it is paused before a freed worker takes the next
        // task.
        queues.look(pool, memory.queue());
        final WorkerControl control = connections.workers();
        try (ExecutorService all = Executors.newVirtualThreadPerTaskExecutor()) {
            tasks.runningOf(namespace, pool.getMetadata().getName())
                    .forEach(task -> all.submit(() -> control.cancel(
                            TaskIndex.ref(task),
                            task.getStatus().attempts(),
                            POOL_DELETED,
                            detail(pool),
                            CONTROL_TIMEOUT)));
        }
    }

    private static String detail(WorkerPool pool) {
        return "WorkerPool " + pool.getMetadata().getName() + " was deleted before the task ended";
    }

    /** Fails the pool's tasks, buries its messages and deletes its stream and its files. */
    void removeQueue(WorkerPool pool, TaskIndex tasks) {
        final String namespace = pool.getMetadata().getNamespace();
        final String name = pool.getMetadata().getName();
        final String detail = detail(pool);
        for (final AgentTask task : tasks.unfinishedOf(namespace, name)) {
            end(task, detail);
        }
        if (queues.owns(pool)) {
            connections.deadLetters().buryAll(namespace, name, queues.stream(pool), POOL_DELETED, detail);
            settings.remove(pool);
            connections.queue().delete(queues.stream(pool));
        }
        files.remove(pool);
    }

    private void end(AgentTask task, String detail) {
        final int attempt = task.observedStatus()
                .map(status -> status.attempts())
                .filter(attempts -> attempts > 0)
                .orElse(0);
        if (attempt == 0) {
            // Never published: it waits as one of a missing pool.
            return;
        }
        final Results results = connections.results();
        events.endUnfinished(
                results,
                TaskIndex.ref(task),
                // The status may not know the last attempt yet.
                Math.max(
                        attempt,
                        events.last(results, TaskIndex.ref(task))
                                .map(TaskEvent::attempt)
                                .orElse(0)),
                TaskEvent.Kind.FAILED,
                new TaskEvent.Failure(POOL_DELETED, detail, false));
    }

    /** Removes the workers, their credential and their policy. Busy ones finish within their grace period. */
    void removeWorkers(WorkerPool pool) {
        final String namespace = pool.getMetadata().getNamespace();
        client.apps()
                .deployments()
                .inNamespace(namespace)
                .withName(pool.workersName())
                .delete();
        secret.remove(pool);
        network.remove(pool);
    }

    /** Shuts its workers out of NATS. */
    void withdraw(WorkerPool pool, PoolMemory memory, boolean namespaceEnds) {
        secret.withdraw(pool, memory.access(), namespaceEnds);
    }
}
