package dev.codeforge.jetstream;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.codeforge.wire.Subjects;
import io.nats.client.Message;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** {@link Advisories} over jnats. */
final class NatsAdvisories implements Advisories {
    private static final Logger LOG = LoggerFactory.getLogger(NatsAdvisories.class);
    private static final ObjectMapper JSON = new ObjectMapper();
    /** Well below the period of the sweep that publishes a task again whose message is gone. */
    private static final Duration LATER = Duration.ofSeconds(5);

    private final NatsConnection nats;
    private final SharedStreams streams;

    NatsAdvisories(NatsConnection nats, SharedStreams streams) {
        this.nats = nats;
        this.streams = streams;
    }

    @Override
    public AutoCloseable consume(Consumer<Delivery> onAdvisory) {
        return new DurableConsumer(nats, streams, Subjects.ADVISORIES_STREAM, "advisories", message -> {
            try {
                onAdvisory.accept(new Held(message, parse(message)));
            } catch (IOException | DateTimeParseException e) {
                LOG.warn("an advisory on {} cannot be read, it is left out: {}", message.getSubject(), e.getMessage());
                DurableConsumer.answer(message, Message::ack);
            }
        });
    }

    private static Advisory parse(Message message) throws IOException {
        final JsonNode body = JSON.readTree(message.getData());
        return new Advisory(
                message.getSubject().startsWith(SharedStreams.MAX_DELIVERIES) ? Kind.MaxDeliveries : Kind.Terminated,
                body.path("stream").asText(),
                body.path("consumer").asText(),
                body.path("stream_seq").asLong(),
                body.path("reason").asText(),
                Instant.parse(body.path("timestamp").asText()));
    }

    private record Held(Message message, Advisory advisory) implements Delivery {
        @Override
        public long times() {
            return message.metaData().deliveredCount();
        }

        @Override
        public void ack() {
            DurableConsumer.answer(message, Message::ack);
        }

        @Override
        public void later() {
            DurableConsumer.answer(message, held -> held.nakWithDelay(LATER));
        }
    }
}
