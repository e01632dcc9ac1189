package dev.codeforge.jetstream;

import java.time.Instant;
import java.util.function.Consumer;

/** What JetStream tells of messages that it will not hand out again. */
public interface Advisories {

    /**
     * Hands over each advisory of the account's task streams, and again after a minute while it is neither acknowledged nor
     * put off. The consumer survives outages of NATS; close it to stop.
     */
    AutoCloseable consume(Consumer<Delivery> onAdvisory);

    /** An advisory in hand. Acknowledge it when what it asks for is done. */
    interface Delivery {
        Advisory advisory();

        /** How often it was handed over, from 1. */
        long times();

        void ack();

        /** Hands it over again in a few seconds. */
        void later();
    }

    enum Kind {
        /** It was handed out as often as the consumer allows. */
        MaxDeliveries,
        /** A worker or somebody else took it off the queue without an acknowledgement. */
        Terminated
    }

    /**
     * @param sequence the message's in the stream
     * @param reason of {@link Kind#Terminated}, else empty
     * @param time when the server said so
     */
    record Advisory(Kind kind, String stream, String consumer, long sequence, String reason, Instant time) {}
}
