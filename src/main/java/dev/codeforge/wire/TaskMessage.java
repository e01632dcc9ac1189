package dev.codeforge.wire;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A task as a worker receives it: CodeForge's own JSON with the attempt, the resolved defaults and the usage of earlier
 * attempts.
 *
 * @param namespace of the AgentTask and its pool; null from an outside producer
 * @param pool that runs it: the workers of another pool refuse it; null from an outside producer
 * @param heartbeatSeconds seconds between two heartbeats, at least 1
 * @param runTimeoutSeconds seconds that the run may take
 * @param maxDeliveries how often the run may start in this attempt
 * @param deliveryMode AtLeastOnce, AtMostOnce or ResetThenRetry
 * @param lastEvent sequence of the task's last event when the message was published, 0 for none: a newer event without
 *     a proof may hide one of this attempt
 * @param checkpoint what an earlier attempt saved last; null for none
 */
public record TaskMessage(
        String taskId,
        @Nullable String namespace,
        @Nullable String pool,
        String projectId,
        String title,
        String prompt,
        String backend,
        String workspacePath,
        Map<String, String> config,
        int heartbeatSeconds,
        String dispatchId,
        int attempt,
        String model,
        int runTimeoutSeconds,
        int maxDeliveries,
        @Nullable String deliveryMode,
        Spent spent,
        @Nullable Budget budget,
        @Nullable Workspace workspace,
        long lastEvent,
        @Nullable String checkpoint,
        @Nullable Session session) {

    public byte[] toJson() {
        return Json.write(this);
    }

    public static TaskMessage parse(byte[] body) throws UnreadableMessageException {
        return Json.read(body, TaskMessage.class);
    }

    /** Usage of earlier attempts; money is a decimal string. */
    public record Spent(long tokensIn, long tokensOut, String costUsd, long unmeteredCalls) {
        public static final Spent NOTHING = new Spent(0, 0, "0");

        public Spent(long tokensIn, long tokensOut, String costUsd) {
            this(tokensIn, tokensOut, costUsd, 0);
        }
    }

    /**
     * The task's budget.
     *
     * @param since the usage when the budget started, at the last rerun: earlier usage does not count
     */
    public record Budget(@Nullable Long maxTokens, @Nullable String maxCostUsd, Spent since) {}

    public record Workspace(Git git) {}

    /**
     * The conversation that the task continues.
     *
     * @param history left by the session's last successful task; absent when the conversation starts here
     */
    public record Session(String name, @Nullable SessionObject history) {}

    /**
     * @param ref branch, tag or commit; empty for the default branch
     * @param depth commits of history; null for 1
     * @param submodules null for false
     * @param lfs null for false
     */
    public record Git(
            String url,
            String ref,
            @Nullable Push push,
            @Nullable Integer depth,
            @Nullable Boolean submodules,
            @Nullable Boolean lfs) {}

    /** @param onFailure Artifact or Push; null for Artifact */
    public record Push(String branch, @Nullable String onFailure) {}
}
