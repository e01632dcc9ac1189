package dev.codeforge.operator.sweep;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.operator.index.PoolIndex;
import dev.codeforge.operator.index.TaskIndex;
import dev.codeforge.operator.task.status.TaskHistory;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.util.List;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Deletes the oldest finished tasks of the pools that have more than they keep. */
public final class HistorySweep implements Sweep {
    private static final Logger LOG = LoggerFactory.getLogger(HistorySweep.class);
    /** Of one pool in a round: the other sweeps wait meanwhile. */
    static final int AT_ONCE = 200;

    private final TaskIndex tasks;
    private final PoolIndex pools;
    private final Predicate<AgentTask> delete;

    /** @param delete false for a task that has changed since it was seen */
    public HistorySweep(TaskIndex tasks, PoolIndex pools, Predicate<AgentTask> delete) {
        this.tasks = tasks;
        this.pools = pools;
        this.delete = delete;
    }

    @Override
    public void run() {
        pools.list().filter(pool -> TaskHistory.isLimited(pool.getSpec())).forEach(this::tidy);
    }

    private void tidy(WorkerPool pool) {
        final String name = pool.getMetadata().getName();
        final List<AgentTask> beyond =
                TaskHistory.beyond(pool.getSpec(), tasks.of(pool.getMetadata().getNamespace(), name));
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
