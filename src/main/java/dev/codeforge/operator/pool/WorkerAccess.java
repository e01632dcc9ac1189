package dev.codeforge.operator.pool;

import dev.codeforge.api.WorkerPool;
import java.util.Map;

/** What the workers of a pool get into NATS with. */
public sealed interface WorkerAccess permits GivenAccess, PoolIdentities {
    /** What the pool's Secret is to hold now. */
    Map<String, String> secret(WorkerPool pool);

    /**
     * The pool ends: what its workers got is of no use from now on.
     *
     * @param namespaceEnds nothing new can be made in its namespace
     */
    void withdraw(WorkerPool pool, boolean namespaceEnds);

    void forget(WorkerPool pool);
}
