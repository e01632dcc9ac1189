package dev.codeforge.testing;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.codeforge.api.AgentTask;
import dev.codeforge.wire.Subjects;
import dev.codeforge.wire.TaskEvent;
import dev.codeforge.wire.UnreadableMessageException;
import java.io.IOException;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.UUID;

/** Events of a task in one line, as its worker would write them. */
public final class Events {
    public static final Instant STARTED = Instant.parse("2026-11-24T11:58:00Z");
    public static final Instant ENDED = Instant.parse("2026-11-24T11:59:00Z");

    private static final ObjectMapper JSON = new ObjectMapper();

    private Events() {}

    /** An event of the first run of the first attempt. */
    public static TaskEvent of(AgentTask task, TaskEvent.Kind kind) {
        return of(task, kind, 1, 1);
    }

    public static TaskEvent of(AgentTask task, TaskEvent.Kind kind, int attempt, int delivery) {
        return of(task, kind, attempt, delivery, STARTED);
    }

    public static TaskEvent failed(AgentTask task, String type, String message) {
        return of(task, TaskEvent.Kind.FAILED, 1, 1, new TaskEvent.Failure(type, message, false), STARTED);
    }

    public static TaskEvent failed(AgentTask task, int attempt, String type, String message, boolean retryable) {
        return of(task, TaskEvent.Kind.FAILED, attempt, 1, new TaskEvent.Failure(type, message, retryable), STARTED);
    }

    /** As the operator ends an attempt that no worker had begun, or a worker one that it was asked to stop. */
    public static TaskEvent cancelled(AgentTask task, int attempt, String type) {
        final int runs =
                task.observedStatus().map(status -> status.deliveries()).orElse(0);
        return of(
                task, TaskEvent.Kind.CANCELLED, attempt, runs, new TaskEvent.Failure(type, "asked to", false), STARTED);
    }

    /** An event of a run that began, or a word that was written, at this time. */
    public static TaskEvent of(AgentTask task, TaskEvent.Kind kind, int attempt, int delivery, Instant time) {
        return of(task, kind, attempt, delivery, null, time);
    }

    /** An event of a run that began, or ended, or failed for this reason, at this time. */
    public static TaskEvent at(
            AgentTask task, TaskEvent.Kind kind, int attempt, int delivery, TaskEvent.Failure failure, Instant time) {
        return of(task, kind, attempt, delivery, failure, time);
    }

    private static TaskEvent of(
            AgentTask task,
            TaskEvent.Kind kind,
            int attempt,
            int delivery,
            TaskEvent.Failure failure,
            Instant started) {
        return new TaskEvent(
                task.uid(),
                task.getSpec().projectID(),
                kind == TaskEvent.Kind.RELEASED ? "queued" : kind.name().toLowerCase(Locale.ROOT),
                kind,
                UUID.randomUUID().toString(),
                attempt,
                delivery,
                Subjects.poolStream(
                        task.getMetadata().getNamespace(),
                        task.getSpec().workerPoolRef().name()),
                7,
                "worker-0",
                started,
                started,
                kind.isTerminal() ? (started.isAfter(ENDED) ? started : ENDED) : null,
                kind.isTerminal() ? "hello" : "",
                List.of(),
                failure == null ? "" : failure.message(),
                3,
                4,
                new BigDecimal("0.05"),
                new TaskEvent.Usage(3, 4, "0.05"),
                kind == TaskEvent.Kind.COMPLETED ? new TaskEvent.Result("done", 0, null, null) : null,
                failure,
                null);
    }

    /** The event of a run that has saved this for the next one to go on from. */
    public static TaskEvent saving(TaskEvent event, String checkpoint) {
        try {
            final ObjectNode body = (ObjectNode) JSON.readTree(event.toJson());
            return TaskEvent.parse(JSON.writeValueAsBytes(body.put("checkpoint", checkpoint)));
        } catch (IOException | UnreadableMessageException e) {
            throw new IllegalStateException(e);
        }
    }
}
