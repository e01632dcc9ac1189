package dev.codeforge.operator.pool;

import dev.codeforge.operator.scaling.ReplicaPlanner.Decision;
import java.util.Optional;

/** What was carried out of a pool's plan. */
sealed interface PoolOutcome {
    /** Nothing was touched: the queue is not usable. */
    record Untouched() implements PoolOutcome {}

    /** The queue was created or corrected; the pool is to be planned again with its new state. */
    record Provisioned(QueueState queue) implements PoolOutcome {}

    /** The pool is served. */
    record Served(Workforce workers) implements PoolOutcome {}

    /** The pool is being deleted, and its tasks are waited for or asked to stop. */
    record Ending(Workforce workers) implements PoolOutcome {}

    /** Everything is removed but the resource, whose finalizer can go. */
    record Removed() implements PoolOutcome {}

    /**
     * The workers that the pool has been given.
     *
     * @param decision on their number, as far as it could be carried out
     * @param refusal why the template could not be applied; empty when it was
     * @param shutOut why NATS may refuse them for now, a sentence; empty when nothing is known to be wrong
     */
    record Workforce(Decision decision, Optional<String> refusal, Optional<String> shutOut) {}

    /** Empty for an outcome without a decision on workers. */
    default Optional<Workforce> workforce() {
        return switch (this) {
            case Served served -> Optional.of(served.workers());
            case Ending ending -> Optional.of(ending.workers());
            case Untouched ignored -> Optional.empty();
            case Provisioned ignored -> Optional.empty();
            case Removed ignored -> Optional.empty();
        };
    }
}
