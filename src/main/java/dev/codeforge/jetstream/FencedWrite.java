package dev.codeforge.jetstream;

import io.nats.client.JetStreamApiException;
import io.nats.client.Message;
import io.nats.client.PublishOptions;
import java.io.IOException;
import java.util.Optional;

/** A write that counts only while nobody else has written on its subject; the options tell what is expected there. */
final class FencedWrite {
    private FencedWrite() {}

    /** @return the new sequence, or empty when somebody was faster */
    static Optional<Long> of(NatsConnection nats, Message message, PublishOptions expected, String what) {
        try {
            return Optional.of(nats.publish(jetStream -> jetStream.publish(message, expected))
                    .getSeqno());
        } catch (JetStreamApiException e) {
            if (e.getApiErrorCode() == ApiErrors.WRONG_LAST_SEQUENCE) {
                return Optional.empty();
            }
            throw new QueueUnavailableException("JetStream answered: " + e.getMessage(), e);
        } catch (IOException e) {
            throw new QueueUnavailableException("no acknowledgement " + what + ": " + e.getMessage(), e);
        }
    }
}
