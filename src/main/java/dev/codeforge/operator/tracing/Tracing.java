package dev.codeforge.operator.tracing;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import java.time.Instant;

/**
 * Receives the progress of tasks for their traces. Every method returns at once and throws nothing, whatever the
 * collector does.
 */
public interface Tracing extends AutoCloseable {

    /** Exports nothing. It still samples every task, because a worker may have a collector of its own. */
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

    /** Whether the task's trace is sampled: the same answer each time. */
    boolean wants(String uid);

    /**
     * An attempt's message was published.
     *
     * @param since when its publishing started
     */
    void published(AgentTask task, int attempt, String stream, long sequence, Instant since);

    /**
     * The API server has stored the status with the task's end.
     *
     * @param task as it was before
     * @param since when the write started
     */
    void ended(AgentTask task, AgentTaskStatus status, Instant since);

    /** Exports the remaining spans, within a few seconds. */
    @Override
    void close();
}
