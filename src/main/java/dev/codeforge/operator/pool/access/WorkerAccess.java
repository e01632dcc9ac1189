package dev.codeforge.operator.pool.access;

import dev.codeforge.api.WorkerPool;
import java.util.Map;
import java.util.Optional;

/** What the workers of a pool get into NATS with. */
public interface WorkerAccess {
    /** Why the pool gets no access; empty when it does. */
    Optional<AccessRefusal> refusal(WorkerPool pool);

    /** Why NATS may refuse the pool's workers for now, a sentence; empty when nothing is known against them. */
    Optional<String> trouble(AccessMemory memory);

    /** What stands between the pool's workers and those of others. */
    NatsWall wall(WorkerPool pool);

    /** What the pool's Secret is to hold now. */
    Map<String, String> secret(WorkerPool pool, AccessMemory memory);

    /**
     * The pool ends: what its workers got is of no use from now on.
     *
     * @param namespaceEnds nothing new can be made in its namespace
     */
    void withdraw(WorkerPool pool, AccessMemory memory, boolean namespaceEnds);
}
