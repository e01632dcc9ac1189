package dev.codeforge.operator.pool;

import dev.codeforge.api.WorkerPool;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** What is remembered of the pools: begun, found and forgotten here alone. */
final class PoolMemories {
    private final Map<String, PoolMemory> byUid = new ConcurrentHashMap<>();
    /** Who tells is on a thread of its own, knows a pool by its name, and may be before the pool's first reconcile. */
    private final Set<ResourceID> told = ConcurrentHashMap.newKeySet();

    /** Another pool of the same name is another. */
    PoolMemory of(WorkerPool pool) {
        return byUid.computeIfAbsent(pool.getMetadata().getUid(), uid -> new PoolMemory());
    }

    /** The pool's queue has changed. */
    void tell(ResourceID pool) {
        told.add(pool);
    }

    /** Whether the pool's queue has changed since this was asked last. */
    boolean wasTold(WorkerPool pool) {
        return told.remove(ResourceID.fromResource(pool));
    }

    void forget(WorkerPool pool) {
        told.remove(ResourceID.fromResource(pool));
        final PoolMemory forgotten = byUid.remove(pool.getMetadata().getUid());
        if (forgotten != null) {
            forgotten.access().end();
        }
    }
}
