package dev.codeforge.operator.tracing;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import java.time.Instant;

/** Told what becomes of tasks, for their traces. Returns at once and throws nothing, whatever the collector does. */
public interface Tracing extends AutoCloseable {

    /** Tells nobody. A worker may have a collector of its own: its part is wanted. */
    Tracing OFF = new Tracing() {
        @Override
        public boolean wants(String uid) {
            return true;
        }

        @Override
        public void published(AgentTask task, int attempt, String stream, long sequence, Instant since) {}

        @Override
        public void ended(AgentTask task, AgentTaskStatus status, Instant since) {}

        @Override
        public void close() {}
    };

    /** Whether the task's trace is kept: the same answer each time. */
    boolean wants(String uid);

    /**
     * An attempt's message stands.
     *
     * @param since when its publishing began
     */
    void published(AgentTask task, int attempt, String stream, long sequence, Instant since);

    /**
     * The API server has the status that tells the task's end.
     *
     * @param task as it was before
     * @param since when the write began
     */
    void ended(AgentTask task, AgentTaskStatus status, Instant since);

    /** Sends what was not sent, for a few seconds. */
    @Override
    void close();
}
