package dev.codeforge.jetstream;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.codeforge.wire.Subjects;
import io.nats.client.Connection;
import io.nats.client.Message;
import io.nats.client.NUID;
import io.nats.client.Subscription;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Questions in JSON to the workers of a namespace, over core NATS. They answer on a subject of their namespace, the one way that
 * leads from a namespace's NATS account to the operator's.
 */
final class NatsRequests {
    private static final ObjectMapper JSON = new ObjectMapper();
    private final NatsConnection nats;

    NatsRequests(NatsConnection nats) {
        this.nats = nats;
    }

    /** Empty when nobody answers in time. */
    Optional<JsonNode> ask(String namespace, String subject, Map<String, ?> body, Duration timeout) {
        try {
            final Message answer = request(namespace, subject, JSON.writeValueAsBytes(body), timeout);
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

    private @Nullable Message request(String namespace, String subject, byte[] body, Duration timeout)
            throws InterruptedException {
        final Connection connection = nats.connected();
        final String answers = Subjects.answers(namespace, NUID.nextGlobal());
        final Subscription subscription = connection.subscribe(answers);
        try {
            connection.publish(subject, answers, body);
            return subscription.nextMessage(timeout);
        } finally {
            subscription.unsubscribe();
        }
    }
}
