package dev.codeforge.jetstream;

import dev.codeforge.wire.TaskRef;

/**
 * A message on {@code events.<namespace>.<pool>.<task_id>} as stored.
 *
 * @param proof the proof header, empty when absent
 */
public record StoredEvent(TaskRef task, long sequence, byte[] body, String proof) {}
