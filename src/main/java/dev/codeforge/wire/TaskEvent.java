package dev.codeforge.wire;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The state of a task's current attempt. Each event has all of it, so that only the last event matters. CodeForge's own
 * consumers read {@code status, output, files, error, tokens_in, tokens_out, cost_usd}. A worker may write anything, so
 * this record cuts what is too long and replaces text, times and amounts that the API server would refuse.
 *
 * @param delivery ordinal of the run within the attempt, from 1; released runs are not counted
 * @param sequence of the task's message in {@code stream}
 * @param usage of the whole task: earlier attempts and all deliveries
 * @param checkpoint what the task's runs saved last, for the next run; null for none
 */
public record TaskEvent(
        String taskId,
        String projectId,
        String status,
        @JsonProperty("event") Kind kind,
        String eventId,
        int attempt,
        int delivery,
        String stream,
        long sequence,
        String worker,
        Instant time,
        @Nullable Instant startTime,
        @Nullable Instant completionTime,
        String output,
        List<String> files,
        String error,
        long tokensIn,
        long tokensOut,
        BigDecimal costUsd,
        @Nullable Usage usage,
        @Nullable Result result,
        @Nullable Failure failure,
        @Nullable String checkpoint) {

    private static final int MOST_OUTPUT = 4096;
    private static final int MOST_MESSAGE = 4096;
    private static final int MOST_LINE = 1024;
    private static final int MOST_NAME = 255;
    private static final int MOST_FILES = 50;
    private static final int MOST_ARTIFACTS = 20;
    private static final int MOST_DIGITS = 15;
    private static final Instant NO_TIME_BEFORE = Instant.EPOCH;
    private static final Instant NO_TIME_AFTER = Instant.parse("9999-01-01T00:00:00Z");

    public TaskEvent {
        projectId = projectId == null ? "" : projectId;
        stream = stream == null ? "" : PlainText.first(stream, MOST_NAME);
        worker = worker == null ? "" : PlainText.first(worker, MOST_NAME);
        output = output == null ? "" : PlainText.last(output, MOST_OUTPUT);
        files = files == null
                ? List.of()
                : files.stream()
                        .filter(Objects::nonNull)
                        .limit(MOST_FILES)
                        .map(file -> PlainText.first(file, MOST_LINE))
                        .toList();
        error = error == null ? "" : PlainText.first(error, MOST_MESSAGE);
        costUsd = isMoney(costUsd) ? costUsd : BigDecimal.ZERO;
        time = isTime(time) ? time : Instant.EPOCH;
        startTime = isTime(startTime) ? startTime : null;
        completionTime = isTime(completionTime) ? completionTime : null;
    }

    private static boolean isTime(@Nullable Instant time) {
        return time != null && !time.isBefore(NO_TIME_BEFORE) && time.isBefore(NO_TIME_AFTER);
    }

    /** A number like 1e999999999 is short as JSON, but too large to add. */
    private static boolean isMoney(@Nullable BigDecimal amount) {
        return amount != null
                && Math.abs((long) amount.scale()) <= MOST_DIGITS
                && amount.precision() <= 2 * MOST_DIGITS;
    }

    private static @Nullable String line(@Nullable String text) {
        return text == null ? null : PlainText.first(text, MOST_LINE);
    }

    public enum Kind {
        @JsonProperty("running")
        RUNNING,
        @JsonProperty("progress")
        PROGRESS,
        @JsonProperty("released")
        RELEASED,
        @JsonProperty("completed")
        COMPLETED,
        @JsonProperty("failed")
        FAILED,
        @JsonProperty("cancelled")
        CANCELLED;

        public boolean isTerminal() {
            return this == COMPLETED || this == FAILED || this == CANCELLED;
        }
    }

    @JsonIgnore
    public boolean isTerminal() {
        return kind.isTerminal();
    }

    /** True while a worker has started this attempt and neither ended nor released it. */
    @JsonIgnore
    public boolean isRunning() {
        return kind == Kind.RUNNING || kind == Kind.PROGRESS;
    }

    /** The same end of the same attempt with another failure. */
    public TaskEvent endedBecause(Failure why) {
        return new TaskEvent(
                taskId,
                projectId,
                "failed",
                Kind.FAILED,
                eventId,
                attempt,
                delivery,
                stream,
                sequence,
                worker,
                time,
                startTime,
                completionTime,
                output,
                files,
                why.message(),
                tokensIn,
                tokensOut,
                costUsd,
                usage,
                result,
                why,
                checkpoint);
    }

    /** The same run, released for this reason. */
    public TaskEvent givenBack(String newId, Instant at, Failure why) {
        return new TaskEvent(
                taskId,
                projectId,
                "queued",
                Kind.RELEASED,
                newId,
                attempt,
                delivery,
                stream,
                sequence,
                worker,
                at,
                startTime,
                null,
                output,
                files,
                why.message(),
                tokensIn,
                tokensOut,
                costUsd,
                usage,
                null,
                why,
                checkpoint);
    }

    /**
     * The event with its times on another clock, which showed {@code stored} when this event was written. The writer's
     * clock gives only durations before the event; no time is later than the event itself.
     */
    public TaskEvent storedAt(Instant stored) {
        return new TaskEvent(
                taskId,
                projectId,
                status,
                kind,
                eventId,
                attempt,
                delivery,
                stream,
                sequence,
                worker,
                stored,
                moved(startTime, stored),
                moved(completionTime, stored),
                output,
                files,
                error,
                tokensIn,
                tokensOut,
                costUsd,
                usage,
                result,
                failure,
                checkpoint);
    }

    private @Nullable Instant moved(@Nullable Instant earlier, Instant stored) {
        if (earlier == null) {
            return null;
        }
        final Duration ago = Duration.between(earlier, time);
        return ago.isNegative() ? stored : stored.minus(ago);
    }

    /** The reason of a failure or cancellation, from the worker or the operator; empty for none. */
    @JsonIgnore
    public String failureType() {
        return failure == null ? "" : failure.type();
    }

    public byte[] toJson() {
        return Json.write(this);
    }

    public static TaskEvent parse(byte[] body) throws UnreadableMessageException {
        final TaskEvent event = Json.read(body, TaskEvent.class);
        if (event.taskId() == null || event.kind() == null || event.eventId() == null || event.attempt() < 1) {
            throw new UnreadableMessageException(
                    "an event needs task_id, event, event_id and an attempt of at least 1");
        }
        return event;
    }

    /** The event in a stored body, if its proof is valid: anyone with access to the stream could write an event. */
    public static Optional<TaskEvent> proven(DispatchKey key, String taskId, byte[] body, String proof) {
        try {
            final TaskEvent event = parse(body);
            return taskId.equals(event.taskId()) && key.proves(taskId, event.attempt(), body, proof)
                    ? Optional.of(event)
                    : Optional.empty();
        } catch (UnreadableMessageException e) {
            return Optional.empty();
        }
    }

    /** Money is a decimal string. {@code unmeteredCalls} counts answered calls with unknown tokens or price. */
    public record Usage(long tokensIn, long tokensOut, String costUsd, long unmeteredCalls) {
        public Usage {
            costUsd = money(costUsd);
        }

        private static String money(@Nullable String text) {
            try {
                return text != null && isMoney(new BigDecimal(text)) ? text : "0";
            } catch (NumberFormatException e) {
                return "0";
            }
        }

        public Usage(long tokensIn, long tokensOut, String costUsd) {
            this(tokensIn, tokensOut, costUsd, 0);
        }
    }

    /** @param session the conversation that a successful run left; absent when it left none */
    public record Result(
            @Nullable String summary,
            int filesTotal,
            @Nullable Git git,
            @Nullable List<Artifact> artifacts,
            @Nullable SessionObject session,
            @Nullable String artifactsProblem) {
        public Result {
            summary = line(summary);
            artifacts = artifacts == null
                    ? null
                    : artifacts.stream()
                            .filter(Objects::nonNull)
                            .limit(MOST_ARTIFACTS)
                            .toList();
            artifactsProblem = line(artifactsProblem);
        }

        /** A result whose artifacts were all stored, without a session. */
        public Result(@Nullable String summary, int filesTotal, @Nullable Git git, @Nullable List<Artifact> artifacts) {
            this(summary, filesTotal, git, artifacts, null, null);
        }
    }

    public record Git(@Nullable String baseCommit, @Nullable String branch, @Nullable String commit, boolean pushed) {
        public Git {
            baseCommit = line(baseCommit);
            branch = line(branch);
            commit = line(commit);
        }
    }

    /** @param object its name in the pool's bucket */
    public record Artifact(String name, long size, String digest, String object) {
        public Artifact {
            name = line(name);
            digest = line(digest);
            object = line(object);
        }
    }

    /** @param retryAfterSeconds until the next attempt starts, 0 to 3,600; null: as the task's retry says */
    public record Failure(String type, String message, boolean retryable, @Nullable Long retryAfterSeconds) {
        private static final long MOST_SECONDS = 3600;

        public Failure {
            type = type == null ? "AgentFailed" : type;
            message = message == null ? "" : PlainText.first(message, MOST_MESSAGE);
            // A writer of events may send any delay.
            retryAfterSeconds = retryAfterSeconds == null ? null : Math.clamp(retryAfterSeconds, 0, MOST_SECONDS);
        }

        public Failure(String type, String message, boolean retryable) {
            this(type, message, retryable, null);
        }
    }
}
