package dev.codeforge.operator.pool;

import dev.codeforge.jetstream.TaskQueue;
import dev.codeforge.operator.status.Reason;

/** How the pool's queue is. */
sealed interface QueueState {
    record Ready(TaskQueue.Sample sample, long deadLetters) implements QueueState {}

    record Broken(Reason reason, String message) implements QueueState {}
}
