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
        @JsonPropertyDescription("Generation of the spec that this status speaks of; -1 until it was first looked at.")
                Long observedGeneration,
        @Nullable
                @JsonPropertyDescription(
                        "Where the task is: Pending, Queued, Running, Retrying, Suspended, Succeeded, Failed or Cancelled.")
                Phase phase,
        @JsonPropertyDescription("What is happening, in a sentence.") String message,
        @JsonPropertyDescription(
                        "Reconciling and Stalled as kstatus reads them; Ready while it is not suspended or cancelled; Complete, Failed and Suspended as on a Job; Cancelled; Finished on each end; DeadLettered; ReconcileFailed while the operator fails on the task; StatusRefused while the API server refuses the whole status.")
                List<Condition> conditions,
        @JsonPropertyDescription("Attempts begun. A new attempt is a new message.") Integer attempts,
        @JsonPropertyDescription(
                        "How often a worker began to run the current attempt; above 1 after a worker was lost. A run that was released does not count, nor one whose pod was removed.")
                Integer deliveries,
        @JsonPropertyDescription("Attempts that failed since the task was created or last rerun.")
                Integer failedAttempts,
        @JsonPropertyDescription(
                        "The spec.rerun that was acted on, or was there at the task's creation; empty once it is removed there.")
                String rerun,
        @JsonPropertyDescription("The last ten attempts that ended and runs that were released.")
                List<HistoryEntry> history,
        @JsonPropertyDescription("The pod that runs the task, or ran it last.") String podName,
        @Nullable @JsonPropertyDescription("Where the task's message is kept.") QueuePosition queue,
        @Nullable
                @JsonPropertyDescription(
                        "When the next attempt is due, or the current one was; the queue timeout counts from here. Absent for the first, which is due at creation.")
                Instant nextAttemptTime,
        @Nullable @JsonPropertyDescription("When the current attempt was accepted by the queue.") Instant queuedTime,
        @Nullable @JsonPropertyDescription("When the current attempt began to run.") Instant startTime,
        @Nullable @JsonPropertyDescription("When the current run's worker was first asked to stop it.")
                Instant stopRequestedTime,
        @Nullable @JsonPropertyDescription("When the task ended.") Instant completionTime,
        @Nullable @JsonPropertyDescription("What applies after the pool's defaults were filled in.")
                Effective effective,
        @Nullable @JsonPropertyDescription("What the agent produced.") Result result,
        @Nullable @JsonPropertyDescription("What was used over all attempts.") Usage usage,
        @Nullable
                @JsonPropertyDescription(
                        "The usage at the last rerun: the budget counts from here. Absent before the first.")
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
            @Nullable @JsonPropertyDescription("The model; absent when the worker's own default applies.") String model,
            @JsonPropertyDescription("Seconds that a run may take.") Integer runTimeoutSeconds,
            @Nullable @JsonPropertyDescription("Seconds that an attempt may wait; absent for no limit.")
                    Integer queueTimeoutSeconds,
            @JsonPropertyDescription("When a failed attempt is tried again.") Retry retry,
            @Nullable @JsonPropertyDescription("What the task may use of its model; absent for no limit.")
                    Budget budget,
            @Nullable @JsonPropertyDescription("Seconds after its end at which the task is deleted; absent for never.")
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
            @Nullable @JsonPropertyDescription("When it began to run.") Instant startTime,
            @Nullable @JsonPropertyDescription("When it ended.") Instant completionTime,
            @JsonPropertyDescription(
                            "Succeeded, Failed, Cancelled or Suspended; Queued for a run that was released, which did not end its attempt.")
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
            @Nullable @JsonPropertyDescription("One line on what was done.") String summary,
            @Nullable @JsonPropertyDescription("The end of the agent's output, at most 4 KiB.") String output,
            @Nullable @JsonPropertyDescription("What happened in the Git repository.") GitResult git,
            @Nullable @JsonPropertyDescription("Files changed, at most 50.") List<String> files,
            @Nullable @JsonPropertyDescription("Number of files changed.") Integer filesTotal,
            @Nullable @JsonPropertyDescription("Files that the run left in the pool's object store bucket, at most 20.")
                    List<Artifact> artifacts,
            @Nullable @JsonPropertyDescription("What could not be kept there, and what to do; absent for nothing.")
                    String artifactsProblem) {}

    @JsonIgnoreProperties(ignoreUnknown = true)
    public record Artifact(
            @JsonPropertyDescription("Name, such as changes.patch.") String name,
            @JsonPropertyDescription("Bytes.") Long size,
            @JsonPropertyDescription("Checksum: sha-256: and 64 hexadecimal digits.") String digest,
            @JsonPropertyDescription(
                            "Its name in the bucket files_<namespace>_<pool>, for 'nats object get'; kept for 30 days.")
                    String object) {}

    @JsonInclude(JsonInclude.Include.NON_EMPTY)
    @JsonIgnoreProperties(ignoreUnknown = true)
    public record GitResult(
            @Nullable @JsonPropertyDescription("The commit that the run started from.") String baseCommit,
            @Nullable
                    @JsonPropertyDescription(
                            "The branch that was pushed to; of a run that failed, <push branch>-failed-<attempt>.")
                    String branch,
            @Nullable @JsonPropertyDescription("The agent's commit; absent when nothing was changed.") String commit,
            @JsonPropertyDescription("Whether the commit was pushed.") Boolean pushed) {}

    @JsonInclude(JsonInclude.Include.NON_NULL)
    @JsonIgnoreProperties(ignoreUnknown = true)
    public record Usage(
            @JsonPropertyDescription("Tokens sent to the model.") Long tokensIn,
            @JsonPropertyDescription("Tokens received from the model.") Long tokensOut,
            @JsonPropertyDescription("Cost in US dollars, a decimal.") String costUSD,
            @Nullable
                    @JsonPropertyDescription(
                            "Answered calls whose tokens or price are not known: what was really used is more. Absent for none.")
                    Long unmeteredCalls) {
        public Usage(Long tokensIn, Long tokensOut, String costUSD) {
            this(tokensIn, tokensOut, costUSD, null);
        }
    }

    @JsonIgnoreProperties(ignoreUnknown = true)
    public record Failure(
            @JsonPropertyDescription("Kind of the error, a constant such as RunTimeout.") String type,
            @JsonPropertyDescription("What went wrong and what to do.") String message,
            @JsonPropertyDescription("Whether another attempt could succeed.") Boolean retryable) {}
}
