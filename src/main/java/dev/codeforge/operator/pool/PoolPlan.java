package dev.codeforge.operator.pool;

import dev.codeforge.operator.scaling.ReplicaPlanner;
import io.fabric8.kubernetes.api.model.Pod;
import java.util.List;

/** The next step for a pool. */
sealed interface PoolPlan {
    /**
     * Create or correct the queue, then decide again on the result.
     *
     * @param paused whether workers get no tasks from it
     */
    record Provision(boolean paused) implements PoolPlan {}

    /**
     * Keep workers as decided.
     *
     * @param replaced workers to delete, so that new ones replace them
     */
    record Serve(ReplicaPlanner.Decision decision, List<Pod> replaced) implements PoolPlan {}

    /** The queue is not usable: change nothing, and report why. */
    record DoNothing() implements PoolPlan {}

    /**
     * The pool is being deleted and its tasks are waited for, with workers as decided.
     *
     * @param replaced workers to delete, so that new ones replace them
     */
    record Drain(ReplicaPlanner.Decision decision, List<Pod> replaced) implements PoolPlan {}

    /** The queue delivers no more tasks: ask the workers that run one to stop, with workers as decided. */
    record Stop(ReplicaPlanner.Decision decision) implements PoolPlan {}

    /**
     * Fail and bury what is unfinished, then remove queue and workers and release the finalizer.
     *
     * @param letGoAnyway release the finalizer even if NATS does not take a removal
     */
    record Remove(boolean letGoAnyway) implements PoolPlan {}

    /** Remove the workers, keep the stream and release the finalizer. */
    record ReleaseFinalizer() implements PoolPlan {}
}
