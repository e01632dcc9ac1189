package dev.codeforge.operator.sweep;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.operator.task.TaskHistory;
import dev.codeforge.operator.task.TaskIndex;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.javaoperatorsdk.operator.api.reconciler.IndexedResourceCache;
import java.util.List;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Deletes the oldest finished tasks of the pools that have more than they keep. */
public final class HistorySweep implements Sweep {
    private static final Logger LOG = LoggerFactory.getLogger(HistorySweep.class);
    /** Of one pool in a round: the other sweeps wait meanwhile. */
    static final int AT_ONCE = 200;

    private final Supplier<TaskIndex> tasks;
    private final Supplier<IndexedResourceCache<WorkerPool>> pools;
    private final Predicate<AgentTask> delete;

    /** @param delete false for a task that has changed since it was seen */
    public HistorySweep(
            Supplier<TaskIndex> tasks, Supplier<IndexedResourceCache<WorkerPool>> pools, Predicate<AgentTask> delete) {
        this.tasks = tasks;
        this.pools = pools;
        this.delete = delete;
    }

    @Override
    public void run() {
        pools.get().list().filter(pool -> TaskHistory.isLimited(pool.getSpec())).forEach(this::tidy);
    }

    private void tidy(WorkerPool pool) {
        final String name = pool.getMetadata().getName();
        final List<AgentTask> beyond = TaskHistory.beyond(
                pool.getSpec(), tasks.get().of(pool.getMetadata().getNamespace(), name));
        try {
            final long deleted = beyond.stream().limit(AT_ONCE).filter(delete).count();
            LOG.debug("{} of {} finished tasks beyond the limits of pool {} are deleted", deleted, beyond.size(), name);
        } catch (KubernetesClientException e) {
            LOG.warn(
                    "finished tasks of pool {} are not deleted, it is tried again in the next round: {}",
                    name,
                    e.getMessage());
        }
    }
}
