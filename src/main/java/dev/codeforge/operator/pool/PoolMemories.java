package dev.codeforge.operator.pool;

import dev.codeforge.api.WorkerPool;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** The memories of all pools: the only place where a memory is created, found and dropped. */
final class PoolMemories {
    private final Map<String, PoolMemory> byUid = new ConcurrentHashMap<>();
    /** Tasks' reconciles report on other threads, know a pool by its name, and may precede the pool's first reconcile. */
    private final Set<ResourceID> changed = ConcurrentHashMap.newKeySet();

    /** A pool that is created again under its name has another memory. */
    PoolMemory of(WorkerPool pool) {
        return byUid.computeIfAbsent(pool.getMetadata().getUid(), uid -> new PoolMemory());
    }

    void queueChanged(ResourceID pool) {
        changed.add(pool);
    }

    /** Whether a change of the pool's queue was reported since the last call. */
    boolean hasQueueChanged(WorkerPool pool) {
        return changed.remove(ResourceID.fromResource(pool));
    }

    void forget(WorkerPool pool) {
        changed.remove(ResourceID.fromResource(pool));
        final PoolMemory forgotten = byUid.remove(pool.getMetadata().getUid());
        if (forgotten != null) {
            forgotten.access().end();
        }
    }
}
