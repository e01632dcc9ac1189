package dev.codeforge.operator.pool;

import dev.codeforge.jetstream.QueueSample;
import dev.codeforge.operator.status.Reason;

/** How the pool's queue is. */
sealed interface QueueState {
    record Ready(QueueSample sample, long deadLetters) implements QueueState {}

    record Broken(Reason reason, String message) implements QueueState {}
}
