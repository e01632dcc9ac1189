package dev.codeforge.operator.service;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import dev.codeforge.operator.status.Reason;
import dev.codeforge.wire.Headers;
import dev.codeforge.wire.TaskEvent;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** A message to a caller. */
record Answer(byte[] body, Map<String, String> headers) {
    private static final ObjectMapper JSON = new ObjectMapper();
    /** Ends a series of answers, as NATS clients expect for requests with many answers. */
    static final Answer END = new Answer(new byte[0], Map.of());

    static Answer accepted(AgentTask task) {
        final Phase phase = task.observedStatus().map(AgentTaskStatus::phase).orElse(Phase.Pending);
        return new Answer(bytes(identity(task).put("phase", phase.name())), Map.of());
    }

    /** The outcome of a failed task is an outcome. A key that belongs to other work is an error of the request. */
    static Answer outcome(AgentTask task, AgentTaskStatus status) {
        final AgentTaskStatus.Failure error = status.error();
        if (error != null && Reason.IdempotencyKeyReused.name().equals(error.type())) {
            return refused(Refusal.reused(error.message()), Optional.of(task));
        }
        final ObjectNode body = identity(task).put("phase", status.phase().name());
        put(body, "result", status.result());
        put(body, "usage", status.usage());
        put(body, "error", error);
        return new Answer(bytes(body), Map.of());
    }

    private static void put(ObjectNode body, String name, Object value) {
        if (value != null) {
            body.set(name, JSON.valueToTree(value));
        }
    }

    /** @param task the task that exists although the request is refused */
    static Answer refused(Refusal refusal, Optional<AgentTask> task) {
        final ObjectNode body = task.map(Answer::identity).orElseGet(JSON::createObjectNode);
        body.putObject("error")
                .put("type", refusal.type())
                .put("message", refusal.message())
                .put("retryable", refusal.retryable());
        return new Answer(
                bytes(body),
                Map.of(
                        Headers.SERVICE_ERROR,
                        refusal.message(),
                        Headers.SERVICE_ERROR_CODE,
                        Integer.toString(refusal.code())));
    }

    /** The task exists; its outcome follows. */
    static Answer begun(AgentTask task) {
        return new Answer(accepted(task).body(), Map.of(Headers.PROGRESS, "accepted"));
    }

    static Answer news(TaskEvent event) {
        return new Answer(
                event.toJson(), Map.of(Headers.PROGRESS, event.kind().name().toLowerCase(Locale.ROOT)));
    }

    private static ObjectNode identity(AgentTask task) {
        return JSON.createObjectNode()
                .put("name", task.getMetadata().getName())
                .put("namespace", task.getMetadata().getNamespace())
                .put("uid", task.uid());
    }

    private static byte[] bytes(ObjectNode body) {
        try {
            return JSON.writeValueAsBytes(body);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("an answer of our own cannot be written as JSON", e);
        }
    }
}
