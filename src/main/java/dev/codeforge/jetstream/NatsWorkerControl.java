package dev.codeforge.jetstream;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.codeforge.wire.Subjects;
import dev.codeforge.wire.TaskRef;
import dev.codeforge.wire.WorkerRef;
import io.nats.client.Message;
import io.nats.client.NUID;
import io.nats.client.Subscription;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.StreamSupport;

/**
 * {@link WorkerControl} over jnats, in JSON. Workers answer on a subject of their namespace, the only route from a
 * namespace's NATS account to the operator's.
 */
final class NatsWorkerControl implements WorkerControl {
    private static final double MILLIS = 1000.0;
    private static final Duration CANCEL_TIMEOUT = Duration.ofSeconds(2);
    private static final long AGAIN_MILLIS = 300;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final NatsConnection nats;

    NatsWorkerControl(NatsConnection nats) {
        this.nats = nats;
    }

    /** Repeats the request until the timeout: after an outage the holder may reconnect later than the operator. */
    @Override
    public Optional<Holder> holder(TaskRef task, Duration timeout) {
        final long end = System.nanoTime() + timeout.toNanos();
        while (true) {
            final Optional<Holder> answer = ask(task.namespace(), Subjects.holder(task), Map.of(), timeout)
                    .map(told -> new Holder(
                            told.path("worker").asText(),
                            told.path("attempt").asInt(),
                            told.path("delivery").asInt()));
            if (answer.isPresent() || System.nanoTime() >= end) {
                return answer;
            }
            pause();
        }
    }

    private static void pause() {
        try {
            Thread.sleep(AGAIN_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new QueueUnavailableException("interrupted while asking for a holder", e);
        }
    }

    @Override
    public boolean cancel(TaskRef task, int attempt, String type, String reason) {
        return ask(
                        task.namespace(),
                        Subjects.control(task),
                        Map.of("action", "cancel", "attempt", attempt, "type", type, "reason", reason),
                        CANCEL_TIMEOUT)
                .map(answer -> answer.path("accepted").asBoolean())
                .orElse(false);
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

    private Optional<Answer> ask(WorkerRef worker, Map<String, ?> order, Duration timeout) {
        return ask(worker.namespace(), Subjects.control(worker), order, timeout)
                .filter(answer -> !answer.has("error"))
                .map(NatsWorkerControl::answer);
    }

    /** A missing field counts against a removal. */
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

    /** Empty when no worker answers in time. */
    private Optional<JsonNode> ask(String namespace, String subject, Map<String, ?> body, Duration timeout) {
        return nats.use(connection -> {
            final String answers = Subjects.answers(namespace, NUID.nextGlobal());
            final Subscription subscription = connection.subscribe(answers);
            try {
                connection.publish(subject, answers, JSON.writeValueAsBytes(body));
                final Message answer = subscription.nextMessage(timeout);
                if (answer == null || answer.isStatusMessage()) {
                    // Silence proves something only while this process is connected.
                    nats.connected();
                    return Optional.empty();
                }
                return Optional.of(JSON.readTree(answer.getData()));
            } finally {
                subscription.unsubscribe();
            }
        });
    }
}
