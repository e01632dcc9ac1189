package dev.codeforge.jetstream;

import io.nats.client.Connection;
import io.nats.client.impl.Headers;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Where a request's answers are published. */
record ReplySubject(NatsConnection nats, String subject) implements RequestReply.Replies {
    private static final Logger LOG = LoggerFactory.getLogger(ReplySubject.class);

    /**
     * The server does not look at a request's reply subject, and we may publish everything: whoever may ask could have us
     * publish on JetStream's API. So only to inboxes, and to what a server puts for one between accounts.
     */
    static boolean isAnInbox(String subject) {
        return subject.startsWith("_INBOX") || subject.startsWith("_R_.");
    }

    @Override
    public boolean send(byte[] body, Map<String, String> headers) {
        final Headers all = new Headers();
        headers.forEach((name, value) -> all.put(name, printable(value)));
        try {
            final Connection connection = nats.connected();
            connection.publish(subject, all, body);
            return true;
        } catch (QueueUnavailableException | IllegalStateException e) {
            LOG.debug("an answer waits for NATS: {}", e.getMessage());
            return false;
        } catch (IllegalArgumentException e) {
            LOG.warn("an answer cannot be sent, it is left out: {}", e.getMessage());
            return true;
        }
    }

    /** A header's value is a line of printable ASCII. */
    private static String printable(String value) {
        return value.replaceAll("\\s+", " ").replaceAll("[^ -~]", "?");
    }
}
