package dev.codeforge.operator.pool;

import dev.codeforge.api.WorkerPool;
import java.time.Duration;

/** When a pool is looked at again although nobody tells that something has happened. */
final class PoolRequeue {
    /** Outside producers tell nobody. */
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

    /** What the last look has done. */
    enum After {
        GROWTH,
        A_LOOK,
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
            case A_LOOK -> TICK;
            case NOTHING_TO_FOLLOW -> FIXED_TICK;
        };
    }
}
