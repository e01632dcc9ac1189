package dev.codeforge.jetstream;

/**
 * A message on {@code results.<task_id>} as stored.
 *
 * @param proof the proof header, empty when absent
 */
public record StoredEvent(String taskId, long sequence, byte[] body, String proof) {}
