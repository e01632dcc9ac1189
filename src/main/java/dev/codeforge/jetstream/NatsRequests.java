package dev.codeforge.jetstream;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.nats.client.Message;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/** Questions in JSON over core NATS. */
final class NatsRequests {
    private static final ObjectMapper JSON = new ObjectMapper();
    private final NatsConnection nats;

    NatsRequests(NatsConnection nats) {
        this.nats = nats;
    }

    /** Empty when nobody answers in time. */
    Optional<JsonNode> ask(String subject, Map<String, ?> body, Duration timeout) {
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
