package dev.codeforge.jetstream;

import io.nats.client.Connection;
import io.nats.client.ConnectionListener;
import io.nats.client.JetStreamApiException;
import io.nats.client.JetStreamManagement;
import io.nats.client.JetStreamOptions;
import io.nats.client.JetStreamStatusCheckedException;
import io.nats.client.Message;
import io.nats.client.Nats;
import io.nats.client.Options;
import io.nats.client.PublishOptions;
import io.nats.client.RequestFailureException;
import io.nats.client.RequestFailureMessage;
import io.nats.client.api.PublishAck;
import io.nats.client.impl.Headers;
import io.nats.client.impl.NatsMessage;
import io.nats.client.support.NatsJetStreamConstants;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** One connection that is made in the background and reconnects for ever. Every failure becomes one exception type. */
final class NatsConnection implements AutoCloseable {
    private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(5);

    /**
     * A connection whose other end is gone without a word is replaced after the third ping without an answer, within 12 s. By
     * the client's default that takes six minutes, in which every request times out.
     */
    private static final Duration PING = Duration.ofSeconds(4);

    private static final int PINGS_OUT = 2;

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

    /** @param inboxPrefix of the subjects for answers */
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
                .pingInterval(PING)
                .maxPingsOut(PINGS_OUT)
                // Without the buffer, a publish during an outage fails. With it, the client would report the publish as
                // done.
                .reconnectBufferSize(0)
                // Reports the cause of a failed request by type.
                .advancedRequestBehavior()
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
            // The first connect may have happened before the connection was assigned.
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

    /** The client gave up, as it does when its credentials are refused twice. Only a new process reads new ones. */
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

    /** The connection, if it is up right now. */
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
    interface Use<T> {
        T of(Connection connection)
                throws IOException, JetStreamApiException, JetStreamStatusCheckedException, InterruptedException,
                        TimeoutException;
    }

    /** Calls JetStream's API; the caller handles error answers. */
    <T> T manage(ManagementCall<T> call) throws JetStreamApiException {
        return JetStreamErrors.translateAllButAnswers(
                name(), () -> call.on(connected().jetStreamManagement(options())));
    }

    /** As {@link #manage}, where every error answer means that the call may succeed later. */
    <T> T ask(ManagementCall<T> call) {
        return use(connection -> call.on(connection.jetStreamManagement(options())));
    }

    /** As {@link #ask}; empty when there is no such stream or consumer. */
    <T> Optional<T> find(ManagementCall<T> call) {
        return use(connection -> JetStreamErrors.ifThere(() -> call.on(connection.jetStreamManagement(options()))));
    }

    /**
     * Publishes into a stream and waits for the acknowledgement; the caller handles error answers. This sends the
     * request itself, because the client's own publish reports a missing stream only by message text.
     */
    PublishAck publish(Message message, PublishOptions expected) throws JetStreamApiException {
        final Headers headers = new Headers(message.getHeaders());
        expect(headers, NatsJetStreamConstants.MSG_ID_HDR, expected.getMessageId());
        expect(headers, NatsJetStreamConstants.EXPECTED_STREAM_HDR, expected.getExpectedStream());
        if (expected.getExpectedLastSubjectSequence() != PublishOptions.UNSET_LAST_SEQUENCE) {
            expect(
                    headers,
                    NatsJetStreamConstants.EXPECTED_LAST_SUB_SEQ_HDR,
                    Long.toString(expected.getExpectedLastSubjectSequence()));
        }
        final Message whole = NatsMessage.builder()
                .subject(message.getSubject())
                .headers(headers)
                .data(message.getData())
                .build();
        return JetStreamErrors.translateAllButAnswers(
                name(), () -> new PublishAck(answer(connected().request(whole, REQUEST_TIMEOUT))));
    }

    private static void expect(Headers headers, String name, @Nullable String value) {
        if (value != null) {
            headers.put(name, value);
        }
    }

    private static Message answer(@Nullable Message answer) throws IOException {
        if (answer instanceof RequestFailureMessage failure) {
            throw new RequestFailureException(failure);
        }
        if (answer == null) {
            throw new IOException("no answer within " + REQUEST_TIMEOUT);
        }
        return answer;
    }

    /**
     * Publishes only if no other write on the subject came first; the options have the expected sequence.
     *
     * @return the new sequence, or empty when another write came first
     */
    Optional<Long> publishFenced(Message message, PublishOptions expected) {
        try {
            return Optional.of(publish(message, expected).getSeqno());
        } catch (JetStreamApiException e) {
            if (JetStreamErrors.saysAnotherWasFirst(e)) {
                return Optional.empty();
            }
            throw JetStreamErrors.unavailable(name(), e);
        }
    }

    /** Publishes a notice over core NATS, without an answer. */
    void tell(String subject, Headers headers, byte[] body) {
        use(connection -> {
            connection.publish(subject, headers, body);
            return subject;
        });
    }

    /** Sends a request to a subject that a server answers; the answer may be a status. */
    Message request(String subject, byte[] body) {
        return use(connection -> answer(connection.request(subject, body, REQUEST_TIMEOUT)));
    }

    /** Any other use of the connection. Every failure becomes one that may succeed later. */
    <T> T use(Use<T> use) {
        return JetStreamErrors.translate(name(), () -> use.of(connected()));
    }

    private String name() {
        return "NATS at " + endpoint.url();
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
