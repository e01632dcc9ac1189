package dev.codeforge.jetstream;

import io.nats.client.Connection;
import io.nats.client.ConnectionListener.Events;
import io.nats.client.ErrorListener;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Logs a connection: one line for an outage, one for its end, and each server error once between the two. The client
 * reports every connect attempt, one a second, and its default listener prints stack traces.
 */
final class ConnectionLog implements ErrorListener {
    private static final Logger LOG = LoggerFactory.getLogger(ConnectionLog.class);

    private final String url;
    private final AtomicBoolean away = new AtomicBoolean(true);
    private final AtomicReference<String> lastError = new AtomicReference<>("");

    ConnectionLog(String url) {
        this.url = url;
    }

    void event(Events event, boolean closing) {
        final boolean connected = event == Events.CONNECTED || event == Events.RECONNECTED;
        final boolean disconnected = event == Events.DISCONNECTED || event == Events.CLOSED;
        if (connected && away.compareAndSet(true, false)) {
            lastError.set("");
            LOG.info("NATS at {} is connected", url);
        } else if (disconnected && !closing && away.compareAndSet(false, true)) {
            LOG.warn("NATS at {} is away: tasks wait until it is connected again", url);
        } else {
            LOG.debug("NATS at {}: {}", url, event);
        }
    }

    void givenUp(String why) {
        LOG.error("NATS at {} cannot be connected to: {}", url, why);
    }

    @Override
    public void errorOccurred(Connection connection, String error) {
        if (error.equals(lastError.getAndSet(error))) {
            LOG.debug("NATS at {} says again: {}", url, error);
        } else {
            LOG.warn("NATS at {} says: {}", url, error);
        }
    }

    @Override
    public void exceptionOccurred(Connection connection, Exception exception) {
        LOG.debug("NATS at {}: {}", url, exception.toString());
    }
}
