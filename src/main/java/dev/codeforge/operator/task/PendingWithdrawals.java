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
 * Deleted tasks whose queue still holds a message of theirs. After an outage of NATS there may be several. Ending a run
 * frees its worker, which would take the next of these messages, so waiting messages are withdrawn before a run is
 * ended.
 */
final class PendingWithdrawals {
    private final Set<ResourceID> underWay = ConcurrentHashMap.newKeySet();
    private final Consumer<WorkerPool> withdrawWaiting;

    /** @param withdrawWaiting removes the waiting messages of deleted tasks from a pool's queue, or throws */
    PendingWithdrawals(Consumer<WorkerPool> withdrawWaiting) {
        this.withdrawWaiting = withdrawWaiting;
    }

    /** Call this as soon as a deletion is known, before any run is ended. */
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
