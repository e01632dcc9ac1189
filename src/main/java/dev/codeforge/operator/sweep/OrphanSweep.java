package dev.codeforge.operator.sweep;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.api.WorkerPoolStatus;
import dev.codeforge.jetstream.Connections;
import dev.codeforge.jetstream.StandingMessage;
import dev.codeforge.jetstream.TaskQueue;
import dev.codeforge.operator.task.OperatorEvents;
import dev.codeforge.operator.task.TaskIndex;
import dev.codeforge.wire.Subjects;
import dev.codeforge.wire.TaskEvent;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.javaoperatorsdk.operator.api.reconciler.IndexedResourceCache;
import java.util.Optional;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends messages whose AgentTask is gone: nobody told an operator that was down when it was deleted. Only what this
 * installation published, and only after a live look by name: a cache may be behind.
 */
public final class OrphanSweep implements Sweep {
    private static final Logger LOG = LoggerFactory.getLogger(OrphanSweep.class);

    private final Supplier<TaskIndex> tasks;
    private final Supplier<IndexedResourceCache<WorkerPool>> pools;
    private final KubernetesClient client;
    private final Connections connections;
    private final OperatorEvents events;
    private final String installation;

    public OrphanSweep(
            Supplier<TaskIndex> tasks,
            Supplier<IndexedResourceCache<WorkerPool>> pools,
            KubernetesClient client,
            Connections connections,
            OperatorEvents events,
            String installation) {
        this.tasks = tasks;
        this.pools = pools;
        this.client = client;
        this.connections = connections;
        this.events = events;
        this.installation = installation;
    }

    @Override
    public void run() {
        pools.get()
                .list()
                .flatMap(pool -> pool.observedStatus().map(WorkerPoolStatus::queue).stream())
                .forEach(this::sweep);
    }

    private void sweep(WorkerPoolStatus.Queue place) {
        final TaskQueue queue = connections.queue("");
        for (final String subject : queue.standingSubjects(place.stream())) {
            final String id = Subjects.taskIdOfMessage(subject);
            if (tasks.get().byUid(id).isPresent()) {
                continue;
            }
            final Optional<StandingMessage> orphan = queue.standing(place.stream(), subject)
                    .filter(message -> message.installation().equals(installation))
                    .filter(message -> isGone(message, id));
            if (orphan.isPresent()) {
                LOG.info("task {} is gone: its message is taken off {}", id, place.stream());
                events.endUnfinished(
                        connections.results(""),
                        id,
                        orphan.get().attempt(),
                        TaskEvent.Kind.CANCELLED,
                        new TaskEvent.Failure("TaskDeleted", "the AgentTask was deleted", false));
                queue.purge(place.stream(), subject);
            }
        }
    }

    private boolean isGone(StandingMessage message, String uid) {
        final AgentTask live = client.resources(AgentTask.class)
                .inNamespace(message.namespace())
                .withName(message.name())
                .get();
        return live == null || !live.uid().equals(uid);
    }
}
