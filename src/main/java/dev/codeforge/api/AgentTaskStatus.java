package dev.codeforge.api;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.kubernetes.api.model.Condition;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What is known of a task. Written by the operator only, at most three times for an undisturbed task. */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
@JsonIgnoreProperties(ignoreUnknown = true)
public record AgentTaskStatus(
        @JsonPropertyDescription("Generation of the spec that this status describes; -1 before the first reconcile.")
                Long observedGeneration,
        @Nullable
                @JsonPropertyDescription(
                        "The task's phase: Pending, Queued, Running, Retrying, Suspended, Succeeded, Failed or Cancelled.")
                Phase phase,
        @JsonPropertyDescription("The current state in a sentence.") String message,
        @JsonPropertyDescription(
                        "Reconciling and Stalled as kstatus defines them; Ready, absent while the task is suspended or cancelled; Complete, Failed and Suspended as on a Job; Cancelled; Finished after every end; DeadLettered; ReconcileFailed while the operator cannot reconcile the task; StatusRefused while the API server rejects the complete status.")
                List<Condition> conditions,
        @JsonPropertyDescription("Number of attempts that were started. Each attempt is a new message.")
                Integer attempts,
        @JsonPropertyDescription(
                        "How often a worker started to run the current attempt; more than 1 after a worker was lost. A run that was released and a run whose pod was removed do not count.")
                Integer deliveries,
        @JsonPropertyDescription("Attempts that failed since the task was created or last rerun.")
                Integer failedAttempts,
        @JsonPropertyDescription(
                        "The value of spec.rerun that was carried out last, or that existed at the task's creation; empty after its removal from the spec.")
                String rerun,
        @JsonPropertyDescription("The last ten entries: attempts that ended, and runs that were released.")
                List<HistoryEntry> history,
        @JsonPropertyDescription("The pod that runs the task, or that ran it last.") String podName,
        @Nullable @JsonPropertyDescription("The position of the task's message in JetStream.") QueuePosition queue,
        @Nullable
                @JsonPropertyDescription(
                        "When the next attempt is due, or when the current one was due; the queue timeout starts at this time. Absent for the first attempt, which is due at creation.")
                Instant nextAttemptTime,
        @Nullable @JsonPropertyDescription("When the queue accepted the current attempt.") Instant queuedTime,
        @Nullable @JsonPropertyDescription("When the current attempt started to run.") Instant startTime,
        @Nullable
                @JsonPropertyDescription(
                        "When the worker last accepted to stop the current run; before that, when it was first asked.")
                Instant stopRequestedTime,
        @Nullable @JsonPropertyDescription("When the task ended.") Instant completionTime,
        @Nullable @JsonPropertyDescription("The effective values, including the pool's defaults.") Effective effective,
        @Nullable @JsonPropertyDescription("The result of the agent's work.") Result result,
        @Nullable @JsonPropertyDescription("The usage of all attempts.") Usage usage,
        @Nullable
                @JsonPropertyDescription(
                        "The usage at the last rerun; the budget limits the usage since then. Absent before the first rerun.")
                Usage usageAtRerun,
        @Nullable @JsonPropertyDescription("Why the task did not succeed.") Failure error) {

    public AgentTaskStatus {
        observedGeneration = observedGeneration == null ? -1L : observedGeneration;
        conditions = conditions == null ? List.of() : List.copyOf(conditions);
        attempts = attempts == null ? 0 : attempts;
        deliveries = deliveries == null ? 0 : deliveries;
        failedAttempts = failedAttempts == null ? 0 : failedAttempts;
        rerun = rerun == null ? "" : rerun;
        history = history == null ? List.of() : List.copyOf(history);
        podName = podName == null ? "" : podName;
        message = message == null ? "" : message;
    }

    /** The status of a task that was never reconciled. */
    public static AgentTaskStatus unobserved() {
        return new AgentTaskStatus(
                null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null,
                null, null, null, null);
    }

    @JsonIgnore
    public boolean isTerminal() {
        return phase != null && phase.isTerminal();
    }

    /** The last attempt whose end this status has; 0 for none. */
    @JsonIgnore
    public int endedAttempt() {
        return history.reversed().stream()
                .filter(HistoryEntry::isEnd)
                .findFirst()
                .map(HistoryEntry::attempt)
                .orElse(0);
    }

    /** The attempt that runs or is next. Each number is used for one message only. */
    @JsonIgnore
    public int currentAttempt() {
        return Math.max(attempts, endedAttempt() + 1);
    }

    /** A run of the attempt under way was released: the next one goes on with it. */
    @JsonIgnore
    public boolean isGivenBack() {
        return history.stream().anyMatch(entry -> !entry.isEnd() && entry.attempt() == currentAttempt());
    }

    @JsonIgnoreProperties(ignoreUnknown = true)
    public record QueuePosition(
            @JsonPropertyDescription("JetStream stream of the pool.") String stream,
            @JsonPropertyDescription("The message's sequence in that stream.") Long sequence) {}

    @JsonInclude(JsonInclude.Include.NON_EMPTY)
    @JsonIgnoreProperties(ignoreUnknown = true)
    public record Effective(
            @Nullable @JsonPropertyDescription("The model; absent if the worker's own default applies.") String model,
            @JsonPropertyDescription("Seconds that a run may take.") Integer runTimeoutSeconds,
            @Nullable @JsonPropertyDescription("Seconds that an attempt may wait for a worker; absent for no limit.")
                    Integer queueTimeoutSeconds,
            @JsonPropertyDescription("Whether and when a failed attempt is retried.") Retry retry,
            @Nullable @JsonPropertyDescription("Limits of the model's usage by the task; absent for no limit.")
                    Budget budget,
            @Nullable
                    @JsonPropertyDescription(
                            "Seconds after its end when the operator deletes the task; absent for never.")
                    Integer ttlSecondsAfterFinished) {
        public Effective {
            retry = (retry == null ? Retry.NONE : retry).complete();
        }

        /** The same, deleted so many seconds after its end; null for never. */
        public Effective expiringAfter(@Nullable Integer seconds) {
            return new Effective(model, runTimeoutSeconds, queueTimeoutSeconds, retry, budget, seconds);
        }
    }

    @JsonInclude(JsonInclude.Include.NON_EMPTY)
    @JsonIgnoreProperties(ignoreUnknown = true)
    public record HistoryEntry(
            @JsonPropertyDescription("Number of the attempt, from 1.") Integer attempt,
            @Nullable @JsonPropertyDescription("The pod that ran it.") String podName,
            @Nullable @JsonPropertyDescription("When it started to run.") Instant startTime,
            @Nullable @JsonPropertyDescription("When it ended.") Instant completionTime,
            @JsonPropertyDescription(
                            "Succeeded, Failed, Cancelled or Suspended; Queued for a run that was released, which does not end its attempt.")
                    Phase outcome,
            @Nullable @JsonPropertyDescription("Why it did not succeed.") Failure error) {
        /** True if the attempt ended and the next one has another number; false if only its run ended. */
        @JsonIgnore
        boolean isEnd() {
            return outcome != Phase.Queued;
        }
    }

    @JsonInclude(JsonInclude.Include.NON_EMPTY)
    @JsonIgnoreProperties(ignoreUnknown = true)
    public record Result(
            @Nullable @JsonPropertyDescription("A summary of the work in one line.") String summary,
            @Nullable @JsonPropertyDescription("The end of the agent's output, at most 4 KiB.") String output,
            @Nullable @JsonPropertyDescription("The result in the Git repository.") GitResult git,
            @Nullable @JsonPropertyDescription("Changed files, at most 50.") List<String> files,
            @Nullable @JsonPropertyDescription("Number of changed files.") Integer filesTotal,
            @Nullable @JsonPropertyDescription("Files that the run left in the pool's object store bucket, at most 20.")
                    List<Artifact> artifacts,
            @Nullable
                    @JsonPropertyDescription(
                            "Which artifacts could not be stored, and what to do; absent if all are stored.")
                    String artifactsProblem) {}

    @JsonIgnoreProperties(ignoreUnknown = true)
    public record Artifact(
            @JsonPropertyDescription("Name, such as changes.patch.") String name,
            @JsonPropertyDescription("Size in bytes.") Long size,
            @JsonPropertyDescription("Checksum: sha-256: and 64 hexadecimal digits.") String digest,
            @JsonPropertyDescription(
                            "Name of the object in the bucket files_<namespace>_<pool>, for 'nats object get'. NATS keeps it for 30 days.")
                    String object) {}

    @JsonInclude(JsonInclude.Include.NON_EMPTY)
    @JsonIgnoreProperties(ignoreUnknown = true)
    public record GitResult(
            @Nullable @JsonPropertyDescription("The commit that the run started from.") String baseCommit,
            @Nullable
                    @JsonPropertyDescription(
                            "The branch that the worker pushed to; for a failed run <push branch>-failed-<attempt>.")
                    String branch,
            @Nullable @JsonPropertyDescription("The agent's commit; absent if the run changed nothing.") String commit,
            @JsonPropertyDescription("Whether the commit was pushed.") Boolean pushed) {}

    @JsonInclude(JsonInclude.Include.NON_NULL)
    @JsonIgnoreProperties(ignoreUnknown = true)
    public record Usage(
            @JsonPropertyDescription("Tokens sent to the model.") Long tokensIn,
            @JsonPropertyDescription("Tokens received from the model.") Long tokensOut,
            @JsonPropertyDescription("Cost in US dollars, a decimal.") String costUSD,
            @Nullable
                    @JsonPropertyDescription(
                            "Number of answered calls whose tokens or price are unknown: the real usage is higher. Absent if there are none.")
                    Long unmeteredCalls) {
        public Usage(Long tokensIn, Long tokensOut, String costUSD) {
            this(tokensIn, tokensOut, costUSD, null);
        }
    }

    @JsonIgnoreProperties(ignoreUnknown = true)
    public record Failure(
            @JsonPropertyDescription("Type of the error, a constant such as RunTimeout.") String type,
            @JsonPropertyDescription("The cause and the next step.") String message,
            @JsonPropertyDescription("Whether another attempt may succeed.") Boolean retryable) {}
}
