package dev.codeforge.jetstream;

import io.nats.client.Connection;
import io.nats.client.ConnectionListener;
import io.nats.client.JetStream;
import io.nats.client.JetStreamApiException;
import io.nats.client.JetStreamManagement;
import io.nats.client.JetStreamOptions;
import io.nats.client.Message;
import io.nats.client.Nats;
import io.nats.client.Options;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/** One connection that is made in the background, made again for ever, and turns "away" into one exception. */
final class NatsConnection implements AutoCloseable {
    private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(5);

    private final NatsAccess endpoint;
    private final ConnectionLog says;
    private final AtomicReference<Connection> connection = new AtomicReference<>();
    private final Thread connecting;
    private volatile boolean closed;
    private volatile boolean lost;
    private final AtomicInteger connects = new AtomicInteger();
    private final List<Runnable> onConnect = new CopyOnWriteArrayList<>();

    NatsConnection(NatsAccess endpoint, String clientName) {
        this(endpoint, clientName, Options.DEFAULT_INBOX_PREFIX);
    }

    /** @param inboxPrefix where answers come */
    NatsConnection(NatsAccess endpoint, String clientName, String inboxPrefix) {
        this.endpoint = endpoint;
        this.says = new ConnectionLog(endpoint.url());
        this.connecting = Thread.ofVirtual().name("nats-connect").start(() -> connect(clientName, inboxPrefix));
    }

    private void connect(String clientName, String inboxPrefix) {
        final Options.Builder options = Options.builder()
                .server(endpoint.url())
                .connectionName(clientName)
                .inboxPrefix(inboxPrefix)
                .maxReconnects(-1)
                .reconnectWait(Duration.ofSeconds(1))
                .reconnectJitter(Duration.ofMillis(500))
                .connectionTimeout(Duration.ofSeconds(5))
                // A publish into the buffer of a broken connection would be reported as done: refuse it instead.
                .reconnectBufferSize(0)
                .errorListener(says)
                .connectionListener((nats, event) -> {
                    if (event == ConnectionListener.Events.CONNECTED
                            || event == ConnectionListener.Events.RECONNECTED) {
                        connects.incrementAndGet();
                        tellOfConnect();
                    }
                    lost |= event == ConnectionListener.Events.CLOSED && !closed;
                    says.event(event, closed);
                });
        endpoint.signIn(options);
        try {
            final Connection made = Nats.connectReconnectOnConnect(options.build());
            connection.set(made);
            // The first event may have come before anybody could use the connection.
            tellOfConnect();
            if (closed) {
                made.close();
            }
        } catch (IOException e) {
            says.givenUp(e.getMessage());
            lost = true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    void onConnect(Runnable action) {
        onConnect.add(action);
    }

    private void tellOfConnect() {
        onConnect.forEach(action -> Thread.ofVirtual().name("nats-connected").start(action));
    }

    /** The client gave up, as it does when its credentials are refused twice: only a new process reads new ones. */
    boolean isLost() {
        return lost;
    }

    int connects() {
        return connects.get();
    }

    boolean isConnected() {
        final Connection now = connection.get();
        return now != null && now.getStatus() == Connection.Status.CONNECTED;
    }

    /** The connection, if it stands right now. */
    Connection connected() {
        if (!isConnected()) {
            throw new QueueUnavailableException("NATS at " + endpoint.url() + " is not connected");
        }
        return connection.get();
    }

    @FunctionalInterface
    interface ManagementCall<T> {
        T on(JetStreamManagement management) throws IOException, JetStreamApiException;
    }

    @FunctionalInterface
    interface PublishCall<T> {
        T on(JetStream jetStream) throws IOException, JetStreamApiException;
    }

    /** Asks JetStream's API; an answer that is an error stays a {@link JetStreamApiException}. */
    <T> T manage(ManagementCall<T> call) throws JetStreamApiException {
        try {
            return call.on(connected().jetStreamManagement(options()));
        } catch (IOException | IllegalStateException e) {
            throw new QueueUnavailableException("NATS at " + endpoint.url() + " did not answer: " + e.getMessage(), e);
        }
    }

    /** As {@link #manage}, where every error answer means that it may work later. */
    <T> T ask(ManagementCall<T> call) {
        try {
            return manage(call);
        } catch (JetStreamApiException e) {
            throw new QueueUnavailableException("JetStream at " + endpoint.url() + " answered: " + e.getMessage(), e);
        }
    }

    /** Publishes; an {@link IOException} of the call is the caller's to read. */
    <T> T publish(PublishCall<T> call) throws IOException, JetStreamApiException {
        try {
            return call.on(connected().jetStream(options()));
        } catch (IllegalStateException e) {
            throw new QueueUnavailableException("NATS at " + endpoint.url() + " went away: " + e.getMessage(), e);
        }
    }

    /** Says on a subject that something happened; nobody answers. */
    void tell(String subject, byte[] body) {
        try {
            connected().publish(subject, body);
        } catch (IllegalStateException e) {
            throw new QueueUnavailableException("NATS at " + endpoint.url() + " went away: " + e.getMessage(), e);
        }
    }

    /** Asks on a subject where a server or a worker answers; silence is an exception. */
    Message request(String subject, byte[] body) {
        try {
            final Message answer = connected().request(subject, body, REQUEST_TIMEOUT);
            if (answer == null || answer.isStatusMessage()) {
                throw new QueueUnavailableException("nobody answered at " + endpoint.url() + " on " + subject);
            }
            return answer;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new QueueUnavailableException("interrupted while asking " + subject, e);
        } catch (IllegalStateException e) {
            throw new QueueUnavailableException("NATS at " + endpoint.url() + " went away: " + e.getMessage(), e);
        }
    }

    private static JetStreamOptions options() {
        return JetStreamOptions.builder().requestTimeout(REQUEST_TIMEOUT).build();
    }

    @Override
    public void close() {
        closed = true;
        connecting.interrupt();
        final Connection made = connection.get();
        if (made != null) {
            try {
                made.close();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
