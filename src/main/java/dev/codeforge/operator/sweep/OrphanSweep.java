package dev.codeforge.operator.sweep;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.api.WorkerPoolStatus;
import dev.codeforge.jetstream.Connections;
import dev.codeforge.jetstream.QueueUnavailableException;
import dev.codeforge.jetstream.TaskQueue;
import dev.codeforge.jetstream.TaskQueue.StandingMessage;
import dev.codeforge.operator.index.PoolIndex;
import dev.codeforge.operator.index.TaskIndex;
import dev.codeforge.operator.results.DeletedTaskEnd;
import dev.codeforge.wire.Subjects;
import dev.codeforge.wire.TaskRef;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Removes messages of this installation from the queues whose AgentTask is gone or has ended. An operator that was down has missed the
 * deletion; a read of the task from the API server confirms it, since the cache may be behind. A worker that lost the results of an
 * ended task would run it once more.
 */
public final class OrphanSweep implements Sweep {
    private static final Logger LOG = LoggerFactory.getLogger(OrphanSweep.class);

    private static final Duration JUST_NOW = Duration.ofSeconds(1);

    private final TaskIndex tasks;
    private final PoolIndex pools;
    private final KubernetesClient client;
    private final Connections connections;
    private final DeletedTaskEnd deleted;
    private final String installation;
    private final Map<String, Long> withdrawn = new HashMap<>();

    public OrphanSweep(
            TaskIndex tasks,
            PoolIndex pools,
            KubernetesClient client,
            Connections connections,
            DeletedTaskEnd deleted,
            String installation) {
        this.tasks = tasks;
        this.pools = pools;
        this.client = client;
        this.connections = connections;
        this.deleted = deleted;
        this.installation = installation;
    }

    /** Removes waiting messages first: the end of a run frees its worker, which would take the next message. */
    @Override
    public void run() {
        pools.list().forEach(pool -> {
            try {
                sweep(pool, false);
                sweep(pool, true);
            } catch (QueueUnavailableException | KubernetesClientException e) {
                // The other pools are swept all the same.
                LOG.debug(
                        "the queue of {} cannot be swept: {}",
                        pool.getMetadata().getName(),
                        e.getMessage());
            }
        });
    }

    /**
     * Removes the messages of gone or ended tasks that no worker has begun from a pool's queue; a call right after another does nothing. Throws
     * {@link QueueUnavailableException} when the queue cannot be seen.
     */
    public synchronized void withdrawWaiting(WorkerPool pool) {
        final String uid = pool.getMetadata().getUid();
        final Long before = withdrawn.get(uid);
        if (before == null || System.nanoTime() - before > JUST_NOW.toNanos()) {
            sweep(pool, false);
            withdrawn.put(uid, System.nanoTime());
        }
    }

    private void sweep(WorkerPool pool, boolean alsoRunning) {
        pool.observedStatus().map(WorkerPoolStatus::queue).ifPresent(place -> sweep(pool, place, alsoRunning));
    }

    private void sweep(WorkerPool pool, WorkerPoolStatus.Queue place, boolean alsoRunning) {
        final TaskQueue queue = connections.queue();
        for (final String subject : queue.standingSubjects(place.stream())) {
            final TaskRef ref = new TaskRef(
                    pool.getMetadata().getNamespace(), pool.getMetadata().getName(), Subjects.taskIdOfMessage(subject));
            final Optional<AgentTask> task = tasks.byUid(ref.id());
            if (task.filter(found -> !found.isFinished()).isPresent()) {
                continue;
            }
            queue.standing(place.stream(), subject)
                    .filter(message -> message.installation().equals(installation))
                    .filter(message -> alsoRunning || !isRunning(message, ref))
                    .ifPresent(message -> task.ifPresentOrElse(
                            ended -> removeEnded(place.stream(), ended, message),
                            () -> removeOrphan(place.stream(), subject, ref, message)));
        }
    }

    private boolean isRunning(StandingMessage message, TaskRef task) {
        return deleted.last(task)
                .filter(last -> last.attempt() >= message.attempt() && last.isRunning())
                .isPresent();
    }

    private void removeOrphan(String stream, String subject, TaskRef task, StandingMessage message) {
        if (!isGone(message, task.id())) {
            return;
        }
        if (deleted.stop(task, deleted.last(task))) {
            LOG.info("task {} is gone: its worker stops the run", task.id());
        } else {
            LOG.info("task {} is gone: its message is taken off {}", task.id(), stream);
            deleted.write(task, message.attempt());
            connections.queue().purge(stream, subject);
        }
    }

    /** By its sequence: a rerun may publish on the subject right now. */
    private void removeEnded(String stream, AgentTask task, StandingMessage message) {
        final boolean old = message.attempt() <= task.getStatus().attempts();
        // Its events may have aged out; one that reports a run contradicts the status, and its message is left to that
        // worker.
        if (old
                && deleted.last(TaskIndex.ref(task))
                        .filter(last -> !last.isTerminal())
                        .isEmpty()) {
            LOG.info("task {} has ended: its message is taken off {}", task.uid(), stream);
            connections.queue().remove(stream, message.sequence());
        }
    }

    private boolean isGone(StandingMessage message, String uid) {
        if (message.namespace().isEmpty() || message.name().isEmpty()) {
            // It has this installation's id, but the operator always names the task: another client published it.
            return false;
        }
        final AgentTask live = client.resources(AgentTask.class)
                .inNamespace(message.namespace())
                .withName(message.name())
                .get();
        return live == null || !live.uid().equals(uid);
    }
}
