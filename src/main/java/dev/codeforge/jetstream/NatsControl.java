package dev.codeforge.jetstream;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.codeforge.wire.Subjects;
import io.nats.client.Message;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/** {@link Control} over core NATS. */
final class NatsControl implements Control {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final long AGAIN_MILLIS = 300;
    private final NatsConnection nats;

    NatsControl(NatsConnection nats) {
        this.nats = nats;
    }

    /** Asks until the time is over: after an outage a holder may be back later than we are. */
    @Override
    public Optional<Holder> holder(String taskId, Duration timeout) {
        final long end = System.nanoTime() + timeout.toNanos();
        while (true) {
            final Optional<Holder> answer = ask(taskId, timeout);
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

    private Optional<Holder> ask(String taskId, Duration timeout) {
        return request(Subjects.holder(taskId), Map.of(), timeout)
                .map(answer -> new Holder(
                        answer.path("worker").asText(),
                        answer.path("attempt").asInt(),
                        answer.path("delivery").asInt()));
    }

    @Override
    public boolean cancel(String taskId, int attempt, String type, String reason, Duration timeout) {
        return request(
                        Subjects.control(taskId),
                        Map.of("action", "cancel", "attempt", attempt, "type", type, "reason", reason),
                        timeout)
                .map(answer -> answer.path("accepted").asBoolean())
                .orElse(false);
    }

    private Optional<JsonNode> request(String subject, Map<String, ?> body, Duration timeout) {
        try {
            final Message answer = nats.connected().request(subject, JSON.writeValueAsBytes(body), timeout);
            if (answer == null || answer.isStatusMessage()) {
                // Silence proves something only while we are connected.
                nats.connected();
                return Optional.empty();
            }
            return Optional.of(JSON.readTree(answer.getData()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new QueueUnavailableException("interrupted while asking " + subject, e);
        } catch (IOException e) {
            throw new QueueUnavailableException(subject + " answered what is not JSON: " + e.getMessage(), e);
        } catch (IllegalStateException e) {
            throw new QueueUnavailableException("NATS went away: " + e.getMessage(), e);
        }
    }
}
