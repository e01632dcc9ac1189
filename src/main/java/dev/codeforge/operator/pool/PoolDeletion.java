package dev.codeforge.operator.pool;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.api.WorkerPoolSpec.DeletionPolicy;
import java.time.Duration;
import java.time.Instant;

/** The deadlines of a pool that is being deleted, by the clock of the API server. */
final class PoolDeletion {
    /** A finalizer that stays longer would block its namespace. */
    private static final Duration DEADLINE = Duration.ofMinutes(10);
    /** How long the operator waits for workers that were asked to stop their agents. */
    private static final Duration GRACE = Duration.ofSeconds(30);

    private PoolDeletion() {}

    /** Until when its tasks may be taken and run. */
    static Instant drainsUntil(WorkerPool pool) {
        final Duration patience = pool.getSpec().deletionPolicy() == DeletionPolicy.Delete
                ? Duration.ZERO
                : Duration.ofSeconds(pool.getSpec().drainTimeoutSeconds());
        return since(pool).plus(patience.compareTo(DEADLINE) < 0 ? patience : DEADLINE);
    }

    /** Until when workers may end what they run by themselves. */
    static Instant stopsUntil(WorkerPool pool) {
        return drainsUntil(pool).plus(GRACE);
    }

    /** When the finalizer is released even while NATS is away. */
    static Instant deadline(WorkerPool pool) {
        return since(pool).plus(DEADLINE);
    }

    private static Instant since(WorkerPool pool) {
        return Instant.parse(pool.getMetadata().getDeletionTimestamp());
    }
}
