package dev.codeforge.operator.pool;

import dev.codeforge.api.Phase;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.api.WorkerPoolSpec;
import dev.codeforge.operator.framework.PoolKey;
import dev.codeforge.operator.index.TaskIndex;
import dev.codeforge.operator.pool.workers.SpentWorkers;
import dev.codeforge.operator.pool.workers.StartTroubles;
import dev.codeforge.operator.pool.workers.WorkerWalls;
import dev.codeforge.operator.time.Clocks;
import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.informer.InformerEventSource;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** Gathers what a decision on a pool needs, by reads alone. */
final class PoolObserver {
    private static final String PODS_BY_POOL = "pool";

    private final KubernetesClient client;
    private final QueueKeeper queues;
    private final WorkerWalls walls;
    private final StartTroubles troubles;
    private final SpentWorkers spent;
    private final TaskIndex tasks;
    private final ServiceTimes serviceTimes;

    PoolObserver(
            KubernetesClient client,
            QueueKeeper queues,
            WorkerWalls walls,
            StartTroubles troubles,
            SpentWorkers spent,
            TaskIndex tasks,
            Clocks clocks) {
        this.client = client;
        this.queues = queues;
        this.walls = walls;
        this.troubles = troubles;
        this.spent = spent;
        this.tasks = tasks;
        this.serviceTimes = new ServiceTimes(tasks, clocks);
    }

    PoolSnapshot observe(WorkerPool pool, PoolMemory memory, Context<WorkerPool> context) {
        final String namespace = pool.getMetadata().getNamespace();
        final String name = pool.getMetadata().getName();
        final List<Pod> pods = pods(pool, context);
        final Optional<Deployment> workers =
                // Somebody may have given the label to another one.
                context.getSecondaryResourcesAsStream(Deployment.class)
                        .filter(found -> found.getMetadata().getName().equals(pool.workersName()))
                        .findFirst()
                        .map(memory.scale()::newest);
        return new PoolSnapshot(
                pool,
                queues.look(pool, memory.queue()),
                workers,
                pods,
                pool.isTerminating() ? inHand(pool) : 0,
                pool.isTerminating() ? tasks.runningOf(namespace, name).size() : 0,
                pool.isTerminating() && isTerminating(namespace),
                walls.of(pool, memory.walls(), pods),
                troubles.of(pool, memory.starts(), workers, pods),
                spent.of(pool, memory.spent(), pods),
                serviceTime(pool, memory),
                memory.demand());
    }

    /** By an index: the context makes a set of the pods, and hashing fifty of them takes longer than the rest of a reconcile. */
    private static List<Pod> pods(WorkerPool pool, Context<WorkerPool> context) {
        final var cache = (InformerEventSource<Pod, WorkerPool>)
                context.eventSourceRetriever().getEventSourceFor(Pod.class);
        return cache.byIndex(PODS_BY_POOL, PoolKey.of(ResourceID.fromResource(pool)));
    }

    /** For the pods' informer: the pool of a pod. */
    static Map<String, Function<Pod, List<String>>> podIndex() {
        return Map.of(PODS_BY_POOL, pod -> WorkerPoolReconciler.poolOf(pod).stream()
                .map(PoolKey::of)
                .toList());
    }

    private Optional<Duration> serviceTime(WorkerPool pool, PoolMemory memory) {
        final WorkerPoolSpec.Scaling scaling = pool.getSpec().scaling();
        return scaling == null || scaling.queueAgeTargetSeconds() == null
                ? Optional.empty()
                : serviceTimes.of(pool, memory.serviceTime());
    }

    private int inHand(WorkerPool pool) {
        return (int) tasks
                .unfinishedOf(
                        pool.getMetadata().getNamespace(), pool.getMetadata().getName())
                .stream()
                .filter(task -> task.observedStatus()
                        .filter(status -> status.phase() == Phase.Queued || status.phase() == Phase.Running)
                        .isPresent())
                .count();
    }

    private boolean isTerminating(String namespace) {
        final Namespace found = client.namespaces().withName(namespace).get();
        return found == null || found.getMetadata().getDeletionTimestamp() != null;
    }
}
