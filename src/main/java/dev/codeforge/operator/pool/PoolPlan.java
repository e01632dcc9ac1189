package dev.codeforge.operator.pool;

import dev.codeforge.operator.scaling.ReplicaPlanner;
import io.fabric8.kubernetes.api.model.Pod;
import java.util.List;

/** What to do with a pool now. */
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
     * @param replaced those to delete so that others come in their place
     */
    record Serve(ReplicaPlanner.Decision decision, List<Pod> replaced) implements PoolPlan {}

    /** The queue is not usable: touch nothing, say why. */
    record DoNothing() implements PoolPlan {}

    /**
     * The pool is being deleted and its tasks are waited for, with workers as decided.
     *
     * @param replaced those to delete so that others come in their place
     */
    record Drain(ReplicaPlanner.Decision decision, List<Pod> replaced) implements PoolPlan {}

    /** Nothing is handed out any more: ask whoever runs a task to stop, with workers as decided. */
    record Stop(ReplicaPlanner.Decision decision) implements PoolPlan {}

    /**
     * Fail and bury what is unfinished, then remove queue and workers and let the resource go.
     *
     * @param letGoAnyway nothing may be waited for any more, not even what NATS does not take
     */
    record Remove(boolean letGoAnyway) implements PoolPlan {}

    /** Remove the workers, keep the stream, let the resource go. */
    record ReleaseFinalizer() implements PoolPlan {}
}
