package dev.codeforge.operator.pool.access;

import dev.codeforge.api.WorkerPool;
import java.util.Map;
import java.util.Optional;

/** How the workers of a pool sign in to NATS. */
public interface WorkerAccess {
    /** Why the pool gets no access; empty when it does. */
    Optional<AccessRefusal> refusal(WorkerPool pool);

    /** A sentence on why NATS may refuse the pool's workers for now; empty without a known problem. */
    Optional<String> trouble(AccessMemory memory);

    /** What separates the pool's workers from those of other pools. */
    NatsWall wall(WorkerPool pool);

    /** The keys and values that the pool's Secret should have now. */
    Map<String, String> secret(WorkerPool pool, AccessMemory memory);

    /**
     * Ends the workers' access when their pool is deleted.
     *
     * @param namespaceEnds no further objects can be created in the pool's namespace
     */
    void withdraw(WorkerPool pool, AccessMemory memory, boolean namespaceEnds);
}
