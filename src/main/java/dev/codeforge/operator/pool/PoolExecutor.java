package dev.codeforge.operator.pool;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.Phase;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.jetstream.Connections;
import dev.codeforge.jetstream.Control;
import dev.codeforge.jetstream.NatsEndpoint;
import dev.codeforge.jetstream.Results;
import dev.codeforge.operator.task.OperatorEvents;
import dev.codeforge.operator.task.TaskIndex;
import dev.codeforge.wire.TaskEvent;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Carries a pool's plan out on the API server and in NATS. */
final class PoolExecutor {
    static final String SCALER = "codeforge-scaler";
    private static final String OPERATOR = "codeforge-operator";
    private static final String POOL_DELETED = "PoolDeleted";
    private static final Duration CONTROL_TIMEOUT = Duration.ofSeconds(2);
    private static final int UNPROCESSABLE = 422;
    private static final int BAD_REQUEST = 400;

    private final KubernetesClient client;
    private final Connections connections;
    private final QueueKeeper queues;
    private final WorkerDeployment deployments;
    private final NatsEndpoint workerNats;
    private final OperatorEvents events;
    /** What was applied last, and what it became: an unchanged world is not written to. */
    private final Map<String, Applied> applied = new ConcurrentHashMap<>();

    private record Applied(Deployment wanted, long generation) {}

    PoolExecutor(
            KubernetesClient client,
            Connections connections,
            QueueKeeper queues,
            WorkerDeployment deployments,
            NatsEndpoint workerNats,
            OperatorEvents events) {
        this.client = client;
        this.connections = connections;
        this.queues = queues;
        this.deployments = deployments;
        this.workerNats = workerNats;
        this.events = events;
    }

    /** Brings the Deployment to the template and the decided size. */
    void serve(WorkerPool pool, Optional<Deployment> existing, int replicas) throws InvalidTemplateException {
        final Deployment wanted = deployments.of(pool, queues.subject(pool));
        final String uid = pool.getMetadata().getUid();
        final Applied before = applied.get(uid);
        Optional<Deployment> current = existing;
        final boolean settled = existing.isPresent()
                && before != null
                && before.wanted().equals(wanted)
                && before.generation() == existing.get().getMetadata().getGeneration();
        if (!settled) {
            applyCredential(pool);
            current = Optional.of(apply(wanted, existing, replicas));
        }
        if (!ownedByScaler(current.get()) || current.get().getSpec().getReplicas() != replicas) {
            current = Optional.of(scale(pool, replicas));
        }
        applied.put(uid, new Applied(wanted, current.get().getMetadata().getGeneration()));
    }

    private void applyCredential(WorkerPool pool) {
        client.secrets()
                .inNamespace(pool.getMetadata().getNamespace())
                .resource(new SecretBuilder()
                        .withNewMetadata()
                        .withName(pool.workersName())
                        .withNamespace(pool.getMetadata().getNamespace())
                        .withLabels(WorkerDeployment.labels(pool))
                        .endMetadata()
                        .withType("Opaque")
                        .addToStringData("url", workerNats.url())
                        .addToStringData("username", workerNats.username())
                        .addToStringData("password", workerNats.password())
                        .build())
                .fieldManager(OPERATOR)
                .forceConflicts()
                .serverSideApply();
    }

    /** Replicas go along until the scaler owns them: left out before, the API server would set them to 1. */
    private Deployment apply(Deployment wanted, Optional<Deployment> existing, int replicas)
            throws InvalidTemplateException {
        final boolean scalerOwns = existing.filter(PoolExecutor::ownedByScaler).isPresent();
        final Deployment sent = scalerOwns
                ? wanted
                : new DeploymentBuilder(wanted)
                        .editSpec()
                        .withReplicas(replicas)
                        .endSpec()
                        .build();
        try {
            return patch(sent, OPERATOR);
        } catch (KubernetesClientException e) {
            // An unknown field in a server-side apply is answered with 500, in these words only.
            final boolean unknownField = String.valueOf(e.getMessage()).contains("failed to create typed patch object");
            if (unknownField || e.getCode() == UNPROCESSABLE || e.getCode() == BAD_REQUEST) {
                throw new InvalidTemplateException("the API server refuses spec.template: " + e.getMessage());
            }
            throw e;
        }
    }

    private Deployment scale(WorkerPool pool, int replicas) {
        return patch(
                new DeploymentBuilder()
                        .withNewMetadata()
                        .withName(pool.workersName())
                        .withNamespace(pool.getMetadata().getNamespace())
                        .endMetadata()
                        .withNewSpec()
                        .withReplicas(replicas)
                        .endSpec()
                        .build(),
                SCALER);
    }

    /** Server-side apply; a field that does not exist is an error, not dropped. */
    private Deployment patch(Deployment deployment, String fieldManager) {
        return client.apps()
                .deployments()
                .resource(deployment)
                .patch(new PatchContext.Builder()
                        .withPatchType(PatchType.SERVER_SIDE_APPLY)
                        .withFieldManager(fieldManager)
                        .withFieldValidation("Strict")
                        .withForce(true)
                        .build());
    }

    private static boolean ownedByScaler(Deployment deployment) {
        return deployment.getMetadata().getManagedFields().stream()
                .anyMatch(entry -> SCALER.equals(entry.getManager()));
    }

    /** Asks whoever runs a task of the pool to stop its agent: so what was used and done is still told. */
    void stopRunning(WorkerPool pool, TaskIndex tasks) {
        final String namespace = pool.getMetadata().getNamespace();
        final Control control = connections.control(namespace);
        try (ExecutorService all = Executors.newVirtualThreadPerTaskExecutor()) {
            tasks.unfinishedOf(namespace, pool.getMetadata().getName()).stream()
                    .filter(task -> task.observedStatus()
                            .filter(status -> status.phase() == Phase.Running)
                            .isPresent())
                    .forEach(task -> all.submit(() -> control.cancel(
                            task.uid(), task.getStatus().attempts(), POOL_DELETED, detail(pool), CONTROL_TIMEOUT)));
        }
    }

    private static String detail(WorkerPool pool) {
        return "WorkerPool " + pool.getMetadata().getName() + " was deleted before the task ended";
    }

    /** Fails the pool's tasks, buries its messages and deletes its stream. */
    void removeQueue(WorkerPool pool, TaskIndex tasks) {
        final String namespace = pool.getMetadata().getNamespace();
        final String name = pool.getMetadata().getName();
        final String detail = detail(pool);
        for (final AgentTask task : tasks.unfinishedOf(namespace, name)) {
            end(task, detail);
        }
        if (queues.owns(pool)) {
            connections.deadLetters(namespace).buryAll(namespace, name, queues.stream(pool), POOL_DELETED, detail);
            connections.queue(namespace).delete(queues.stream(pool));
        }
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
        final Results results = connections.results(task.getMetadata().getNamespace());
        events.endUnfinished(
                results,
                task.uid(),
                // The status may not know the last attempt yet.
                Math.max(
                        attempt,
                        events.last(results, task.uid()).map(TaskEvent::attempt).orElse(0)),
                TaskEvent.Kind.FAILED,
                new TaskEvent.Failure(POOL_DELETED, detail, false));
    }

    /** Removes the workers and their credential. Busy ones finish within their grace period. */
    void removeWorkers(WorkerPool pool) {
        final String namespace = pool.getMetadata().getNamespace();
        client.apps()
                .deployments()
                .inNamespace(namespace)
                .withName(pool.workersName())
                .delete();
        client.secrets().inNamespace(namespace).withName(pool.workersName()).delete();
        applied.remove(pool.getMetadata().getUid());
    }
}
