package dev.codeforge.console.hub;

import java.util.Map;

/**
 * An AgentTask or a WorkerPool, as the API server has it.
 *
 * @param pool its pool; of a pool, itself
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

        /** Of the messages about it. */
        String type() {
            return type;
        }
    }
}
