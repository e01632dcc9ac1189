package dev.codeforge.operator.service;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import dev.codeforge.api.AgentTaskSpec;
import dev.codeforge.wire.Headers;
import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Parses a request: subject, headers and body. */
final class TaskRequestReader {
    private static final ObjectMapper JSON = new ObjectMapper()
            .registerModule(new JavaTimeModule())
            .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
    private static final String EXAMPLE = "{\"prompt\": \"what the agent is asked to do\"}";
    private static final int LONGEST_KEY = 253;
    /** The header's four fields take 55 characters. */
    private static final int LONGEST_TRACEPARENT = 128;

    private static final int SUBJECT_TOKENS = 4;
    /** The subject and a header set these fields. */
    private static final Set<String> SAID_ELSEWHERE = Set.of("workerPoolRef", "idempotencyKey");
    /** These fields control an existing task. */
    private static final Set<String> STEERING = Set.of("suspend", "cancel", "rerun");

    private static final Set<String> FIELDS = Arrays.stream(AgentTaskSpec.class.getRecordComponents())
            .map(RecordComponent::getName)
            .filter(name -> !SAID_ELSEWHERE.contains(name) && !STEERING.contains(name))
            .collect(Collectors.toCollection(TreeSet::new));

    private TaskRequestReader() {}

    /** @param header returns the first value of a header by name */
    static Ask read(String subject, Function<String, Optional<String>> header, byte[] body) throws RefusedException {
        final String[] tokens = subject.split("\\.");
        if (tokens.length != SUBJECT_TOKENS) {
            throw new RefusedException(Refusal.invalid("The subject " + subject
                    + " names no pool: ask on agents.run.<namespace>.<pool> or agents.submit.<namespace>.<pool>."));
        }
        final Optional<String> key = key(header);
        final ObjectNode fields = fields(body);
        fields.putObject("workerPoolRef").put("name", tokens[3]);
        key.ifPresent(value -> fields.put("idempotencyKey", value));
        return new Ask(
                Ask.Endpoint.valueOf(tokens[1]),
                tokens[2],
                tokens[3],
                key,
                header.apply(Headers.TRACEPARENT).filter(value -> value.length() <= LONGEST_TRACEPARENT),
                fields,
                spec(fields));
    }

    private static Optional<String> key(Function<String, Optional<String>> header) throws RefusedException {
        final Optional<String> key = header.apply(Headers.MESSAGE_ID);
        if (key.filter(value -> value.isEmpty() || value.length() > LONGEST_KEY).isPresent()) {
            throw new RefusedException(Refusal.invalid("The header Nats-Msg-Id has "
                    + key.get().length() + " characters: send 1 to " + LONGEST_KEY + ", or leave it out."));
        }
        return key;
    }

    private static ObjectNode fields(byte[] body) throws RefusedException {
        final JsonNode tree;
        try {
            tree = JSON.readTree(body);
        } catch (IOException e) {
            final String why = e instanceof JsonProcessingException json ? json.getOriginalMessage() : e.getMessage();
            throw new RefusedException(
                    Refusal.invalid("The body is not JSON (" + why + "): send an object such as " + EXAMPLE + "."));
        }
        if (!(tree instanceof ObjectNode fields)) {
            throw new RefusedException(
                    Refusal.invalid("The body is no JSON object: send one such as " + EXAMPLE + "."));
        }
        final List<String> unknown = new ArrayList<>();
        fields.fieldNames().forEachRemaining(unknown::add);
        unknown.removeAll(FIELDS);
        if (!unknown.isEmpty()) {
            throw new RefusedException(Refusal.invalid(refusedField(unknown.getFirst())));
        }
        if (!fields.path("prompt").isTextual()) {
            throw new RefusedException(
                    Refusal.invalid("The body has no prompt, a string: send an object such as " + EXAMPLE + "."));
        }
        return fields;
    }

    private static String refusedField(String name) {
        if (STEERING.contains(name)) {
            return "A request cannot say " + name + ": set it on the AgentTask once it is there.";
        }
        return switch (name) {
            case "workerPoolRef" -> "A request cannot say workerPoolRef: the subject names the pool.";
            case "idempotencyKey" -> "A request cannot say idempotencyKey: send it as the header Nats-Msg-Id.";
            default -> "The body has an unknown field " + name + ". Known are " + String.join(", ", FIELDS) + ".";
        };
    }

    private static AgentTaskSpec spec(ObjectNode fields) throws RefusedException {
        try {
            return JSON.treeToValue(fields, AgentTaskSpec.class);
        } catch (JsonProcessingException e) {
            throw new RefusedException(Refusal.invalid(
                    "The body is no spec of an AgentTask: " + e.getOriginalMessage() + ". See docs/reference.md."));
        }
    }
}
