package dev.codeforge.jetstream;

import java.time.Instant;

/**
 * A message that stands in a pool's stream, whoever published it.
 *
 * @param taskId empty when the message does not tell
 * @param stored when the server stored it
 */
public record QueuedTask(long sequence, String taskId, Instant stored) {}
