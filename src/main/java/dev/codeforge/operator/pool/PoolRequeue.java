package dev.codeforge.operator.pool;

import dev.codeforge.api.WorkerPool;
import java.time.Duration;

/** After which delay a pool is reconciled without an event. */
final class PoolRequeue {
    /** Messages of outside producers cause no event. */
    static final Duration TICK = Duration.ofSeconds(2);

    private static final Duration FIXED_TICK = Duration.ofSeconds(10);
    private static final Duration GROWN = Duration.ofMillis(200);

    /**
     * A consumer may count a message some milliseconds after the stream has acknowledged it; a worker has its task in hand
     * some milliseconds longer than the task runs.
     */
    private static final Duration COUNTED = Duration.ofMillis(100);

    private final PoolMemories memories;

    PoolRequeue(PoolMemories memories) {
        this.memories = memories;
    }

    /** What the last reconcile has done. */
    enum After {
        GROWTH,
        A_RECONCILE,
        NOTHING_TO_FOLLOW
    }

    Duration in(WorkerPool pool, After last) {
        final boolean mayNotBeCounted = memories.hasQueueChanged(pool);
        if (mayNotBeCounted
                && (pool.getSpec().scaling() != null
                        || pool.getSpec().isolation().workerPerTask())) {
            return COUNTED;
        }
        return switch (last) {
            case GROWTH -> GROWN;
            case A_RECONCILE -> TICK;
            case NOTHING_TO_FOLLOW -> FIXED_TICK;
        };
    }
}
