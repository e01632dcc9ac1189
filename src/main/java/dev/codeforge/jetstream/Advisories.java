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

/** JetStream's advisories on messages that it will not deliver again. */
public final class Advisories {
    private static final Logger LOG = LoggerFactory.getLogger(Advisories.class);
    private static final ObjectMapper JSON = new ObjectMapper();
    /** Well below the period of the sweep that publishes a task again whose message is gone. */
    private static final Duration LATER = Duration.ofSeconds(5);

    private final NatsConnection nats;
    private final SharedStreams streams;

    Advisories(NatsConnection nats, SharedStreams streams) {
        this.nats = nats;
        this.streams = streams;
    }

    public enum Kind {
        /** The message was delivered as often as the consumer allows. */
        MaxDeliveries,
        /** A worker or another client terminated the message instead of acknowledging it. */
        Terminated
    }

    /**
     * @param sequence of the message in the stream
     * @param reason of {@link Kind#Terminated}, else empty
     * @param time when the server published the advisory
     */
    public record Advisory(Kind kind, String stream, String consumer, long sequence, String reason, Instant time) {}

    /**
     * Hands over each advisory of the account's task streams, and again after a minute while it is neither acknowledged nor
     * put off. The consumer survives outages of NATS; close it to stop.
     */
    public Consumption consume(Consumer<Delivery> onAdvisory) {
        return new DurableConsumer(nats, streams, Subjects.ADVISORIES_STREAM, "advisories", message -> {
            try {
                onAdvisory.accept(new Delivery(message, parse(message)));
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

    /** A delivered advisory. Acknowledge it when its message was handled. */
    public static final class Delivery {
        private final Message message;
        private final Advisory advisory;

        private Delivery(Message message, Advisory advisory) {
            this.message = message;
            this.advisory = advisory;
        }

        public Advisory advisory() {
            return advisory;
        }

        /** How often the advisory was delivered, from 1. */
        public long times() {
            return message.metaData().deliveredCount();
        }

        public void ack() {
            DurableConsumer.answer(message, Message::ack);
        }

        /** Requests another delivery in a few seconds. */
        public void later() {
            DurableConsumer.answer(message, held -> held.nakWithDelay(LATER));
        }
    }
}
