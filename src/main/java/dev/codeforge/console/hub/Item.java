package dev.codeforge.console.hub;

import java.util.Map;

/**
 * An AgentTask or a WorkerPool from the API server.
 *
 * @param pool the task's pool; for a pool, its own name
 * @param json without managed fields, on one line
 */
public record Item(
        Kind kind, String namespace, String name, String uid, String pool, Map<String, String> labels, String json) {
    /** In the order of a snapshot. */
    public enum Kind {
        POOL("pool"),
        TASK("task");

        private final String type;

        Kind(String type) {
            this.type = type;
        }

        /** The type of the messages about this kind. */
        String type() {
            return type;
        }
    }
}
