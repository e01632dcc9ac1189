package dev.codeforge.soak;

/**
 * A task that was accepted.
 *
 * @param id UID of the AgentTask, or the outside producer's own id
 * @param key its idempotency key, or empty
 */
record Task(String id, String name, Kind kind, String pool, String key) {}
