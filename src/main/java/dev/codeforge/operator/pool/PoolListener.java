package dev.codeforge.operator.pool;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.api.WorkerPoolStatus;

/** Receives what becomes of pools from within their reconciles. Implementations must be quick and must not throw. */
@FunctionalInterface
public interface PoolListener {
    /** The API server has stored this status of the pool, whose object still has the former one. */
    void status(WorkerPool pool, WorkerPoolStatus status);
}
