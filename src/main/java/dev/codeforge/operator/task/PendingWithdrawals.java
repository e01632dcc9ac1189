package dev.codeforge.operator.task;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.Phase;
import dev.codeforge.api.WorkerPool;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/**
 * The deleted tasks whose queue still holds something of theirs. Several at once is what an outage of NATS leaves: ending the
 * one that runs frees its worker, which would take the next of them, so what waits goes first.
 */
final class PendingWithdrawals {
    private final Set<ResourceID> underWay = ConcurrentHashMap.newKeySet();
    private final Consumer<WorkerPool> withdrawWaiting;

    /** @param withdrawWaiting takes what waits for tasks that are gone off a pool's queue, or throws */
    PendingWithdrawals(Consumer<WorkerPool> withdrawWaiting) {
        this.withdrawWaiting = withdrawWaiting;
    }

    /** Call it as soon as the deletion is known, before anything of any task is ended. */
    void begun(AgentTask task) {
        underWay.add(ResourceID.fromResource(task));
    }

    void beforeItsEnd(AgentTask task, Optional<WorkerPool> pool) {
        final boolean runs = task.observedStatus()
                .filter(status -> status.phase() == Phase.Running)
                .isPresent();
        if (runs && underWay.size() > 1) {
            pool.ifPresent(withdrawWaiting);
        }
    }

    void ended(AgentTask task) {
        underWay.remove(ResourceID.fromResource(task));
    }
}
