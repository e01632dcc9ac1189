package dev.codeforge.operator.pool;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.jetstream.Connections;
import dev.codeforge.jetstream.Results;
import dev.codeforge.jetstream.WorkerControl;
import dev.codeforge.operator.index.TaskIndex;
import dev.codeforge.operator.pool.workers.PoolNetwork;
import dev.codeforge.operator.pool.workers.PoolSecret;
import dev.codeforge.operator.results.OperatorEvents;
import dev.codeforge.wire.TaskEvent;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Ends what a deleted pool has in NATS and on the API server. */
final class PoolRemoval {
    private static final Logger LOG = LoggerFactory.getLogger(PoolRemoval.class);
    private static final String POOL_DELETED = "PoolDeleted";

    private final KubernetesClient client;
    private final Connections connections;
    private final QueueKeeper queues;
    private final WorkerConfigPublisher settings;
    private final PoolFiles files;
    private final PoolNetwork network;
    private final PoolSecret secret;
    private final OperatorEvents events;
    private final TaskIndex tasks;

    PoolRemoval(
            KubernetesClient client,
            Connections connections,
            QueueKeeper queues,
            WorkerConfigPublisher settings,
            PoolFiles files,
            PoolNetwork network,
            PoolSecret secret,
            OperatorEvents events,
            TaskIndex tasks) {
        this.client = client;
        this.connections = connections;
        this.queues = queues;
        this.settings = settings;
        this.files = files;
        this.network = network;
        this.secret = secret;
        this.events = events;
        this.tasks = tasks;
    }

    /** Asks every worker that runs a task of the pool to stop its agent, so that it still reports usage and results. */
    void stopRunning(WorkerPool pool) {
        final WorkerControl control = connections.workers();
        try (ExecutorService all = Executors.newVirtualThreadPerTaskExecutor()) {
            tasks.runningOf(
                            pool.getMetadata().getNamespace(),
                            pool.getMetadata().getName())
                    .forEach(task -> all.submit(() -> control.cancel(
                            TaskIndex.ref(task), task.getStatus().attempts(), POOL_DELETED, detail(pool))));
        }
    }

    /** Fails and buries what is unfinished, and removes everything that the pool has. */
    void remove(PoolSnapshot snapshot, PoolMemory memory, boolean whateverNatsTakes) {
        final WorkerPool pool = snapshot.pool();
        final List<Runnable> steps =
                List.of(() -> removeQueue(pool), () -> withdraw(pool, memory, snapshot.namespaceTerminating()));
        for (final Runnable step : steps) {
            if (whateverNatsTakes) {
                orLater(pool, step);
            } else {
                step.run();
            }
        }
        removeWorkers(pool);
    }

    /** Removes the workers and keeps the queue. */
    void retain(PoolSnapshot snapshot, PoolMemory memory) {
        final WorkerPool pool = snapshot.pool();
        // A credential that cannot be withdrawn now expires, so nothing waits for it.
        orLater(pool, () -> withdraw(pool, memory, snapshot.namespaceTerminating()));
        removeWorkers(pool);
    }

    private static void orLater(WorkerPool pool, Runnable step) {
        try {
            step.run();
        } catch (RuntimeException e) {
            LOG.warn(
                    "WorkerPool {}/{} is let go although not all that it had in NATS could be removed: {}",
                    pool.getMetadata().getNamespace(),
                    pool.getMetadata().getName(),
                    e.getMessage());
        }
    }

    private static String detail(WorkerPool pool) {
        return "WorkerPool " + pool.getMetadata().getName() + " was deleted before the task ended";
    }

    /** Fails the pool's tasks, buries its messages and deletes its stream and its files. */
    private void removeQueue(WorkerPool pool) {
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
            // Never published: the task waits as one of a missing pool.
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

    /** Revokes its workers' access to NATS. */
    private void withdraw(WorkerPool pool, PoolMemory memory, boolean namespaceEnds) {
        secret.withdraw(pool, memory.access(), namespaceEnds);
    }

    /** Removes the workers, their credential and their policy. Busy ones finish within their grace period. */
    private void removeWorkers(WorkerPool pool) {
        client.apps()
                .deployments()
                .inNamespace(pool.getMetadata().getNamespace())
                .withName(pool.workersName())
                .delete();
        secret.remove(pool);
        network.remove(pool);
    }
}
