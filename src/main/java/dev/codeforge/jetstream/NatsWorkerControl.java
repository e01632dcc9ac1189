package dev.codeforge.jetstream;

import com.fasterxml.jackson.databind.JsonNode;
import dev.codeforge.wire.Subjects;
import dev.codeforge.wire.WorkerRef;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.StreamSupport;

/** {@link WorkerControl} over core NATS. */
final class NatsWorkerControl implements WorkerControl {
    private static final double MILLIS = 1000.0;
    private final NatsRequests requests;

    NatsWorkerControl(NatsConnection nats) {
        this.requests = new NatsRequests(nats);
    }

    @Override
    public Optional<Answer> look(WorkerRef worker, Duration timeout) {
        return ask(worker, Map.of("action", "look"), timeout);
    }

    @Override
    public Optional<Answer> drain(WorkerRef worker, Duration lease, Duration timeout) {
        return ask(worker, Map.of("action", "drain", "leaseSeconds", lease.toSeconds()), timeout);
    }

    @Override
    public Optional<Answer> finish(WorkerRef worker, Duration lease, Duration timeout) {
        return ask(worker, Map.of("action", "finish", "leaseSeconds", lease.toSeconds()), timeout);
    }

    @Override
    public Optional<Answer> leave(WorkerRef worker, Duration grace, Duration timeout) {
        return ask(worker, Map.of("action", "leave", "graceSeconds", grace.toSeconds()), timeout);
    }

    @Override
    public Optional<Answer> resume(WorkerRef worker, Duration timeout) {
        return ask(worker, Map.of("action", "resume"), timeout);
    }

    private Optional<Answer> ask(WorkerRef worker, Map<String, ?> body, Duration timeout) {
        return requests.ask(worker.namespace(), Subjects.control(worker), body, timeout)
                .filter(answer -> !answer.has("error"))
                .map(NatsWorkerControl::answer);
    }

    /** What is missing counts against a removal. */
    private static Answer answer(JsonNode answer) {
        return new Answer(
                answer.path("idle").asBoolean(),
                answer.path("draining").asBoolean(),
                Duration.ofMillis((long) (answer.path("idleSeconds").asDouble() * MILLIS)),
                Optional.of(answer.path("openWalls")).filter(JsonNode::isArray).map(NatsWorkerControl::sentences),
                Optional.of(answer.path("spent")).filter(JsonNode::isBoolean).map(JsonNode::asBoolean));
    }

    private static List<String> sentences(JsonNode given) {
        return StreamSupport.stream(given.spliterator(), false)
                .map(JsonNode::asText)
                .toList();
    }
}
