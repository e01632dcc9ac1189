package dev.codeforge.operator.pool;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.operator.pool.workers.StartTrouble;
import dev.codeforge.operator.scaling.DemandWindow;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * The input of a decision on a pool.
 *
 * @param unfinishedTasks AgentTasks of the pool that wait in its queue or are run; one that is held back or failed needs no queue;
 *     asked for while the pool is deleted, else 0
 * @param runningTasks those of them that a worker runs; likewise
 * @param namespaceTerminating no further objects can be created in the pool's namespace
 * @param walls what its workers report of the walls around their agents; empty before the first report
 * @param trouble why workers do not start; empty while all do
 * @param spent workers that have run their one task, in a pool with a worker for each task
 * @param serviceTime how long its tasks run; empty when that is not known, or not asked for
 */
record PoolSnapshot(
        WorkerPool pool,
        QueueState queue,
        Optional<Deployment> deployment,
        List<Pod> pods,
        int unfinishedTasks,
        int runningTasks,
        boolean namespaceTerminating,
        Optional<List<String>> walls,
        Optional<StartTrouble.Seen> trouble,
        List<Pod> spent,
        Optional<Duration> serviceTime,
        DemandWindow window) {

    PoolSnapshot with(QueueState now) {
        return new PoolSnapshot(
                pool,
                now,
                deployment,
                pods,
                unfinishedTasks,
                runningTasks,
                namespaceTerminating,
                walls,
                trouble,
                spent,
                serviceTime,
                window);
    }

    /** The Deployment's number of workers; empty without one. */
    Optional<Integer> replicas() {
        return deployment.map(found -> found.getSpec().getReplicas());
    }
}
