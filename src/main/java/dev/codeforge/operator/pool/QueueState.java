package dev.codeforge.operator.pool;

import dev.codeforge.jetstream.TaskQueue;
import dev.codeforge.operator.status.Reason;

/** The state of a pool's queue. */
sealed interface QueueState {
    /** As the spec wants it, except for the pause, which the sample shows. */
    record Ready(TaskQueue.Sample sample, long deadLetters) implements QueueState {}

    /** The stream or its consumer is missing. */
    record Missing() implements QueueState {}

    /** The stream or its consumer is not as the spec wants it. */
    record Drifted() implements QueueState {}

    record Broken(Reason reason, String message) implements QueueState {}
}
