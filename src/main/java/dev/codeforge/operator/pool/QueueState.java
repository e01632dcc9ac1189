package dev.codeforge.operator.pool;

import dev.codeforge.jetstream.TaskQueue;
import dev.codeforge.operator.status.Reason;

/** How the pool's queue is. */
sealed interface QueueState {
    /** As its spec wants it, but for whether it hands out tasks, which the sample tells. */
    record Ready(TaskQueue.Sample sample, long deadLetters) implements QueueState {}

    /** The stream or its consumer is not there. */
    record Missing() implements QueueState {}

    /** The stream or its consumer is not as the spec wants it. */
    record Drifted() implements QueueState {}

    record Broken(Reason reason, String message) implements QueueState {}
}
