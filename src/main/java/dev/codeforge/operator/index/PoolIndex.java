package dev.codeforge.operator.index;

import dev.codeforge.api.WorkerPool;
import io.javaoperatorsdk.operator.api.reconciler.IndexedResourceCache;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import java.util.Optional;
import java.util.stream.Stream;

/** The pools in the cache. It is empty until the pool reconciler's event sources are prepared. */
public final class PoolIndex {
    private volatile Optional<IndexedResourceCache<WorkerPool>> cache = Optional.empty();

    /** Call it when the reconciler's event sources are prepared. */
    public PoolIndex in(IndexedResourceCache<WorkerPool> primaries) {
        cache = Optional.of(primaries);
        return this;
    }

    public Stream<WorkerPool> list() {
        return cache.stream().flatMap(IndexedResourceCache::list);
    }

    public Optional<WorkerPool> get(ResourceID id) {
        return cache.flatMap(primaries -> primaries.get(id));
    }
}
