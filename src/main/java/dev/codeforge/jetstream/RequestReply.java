package dev.codeforge.jetstream;

import dev.codeforge.wire.Subjects;
import io.nats.client.Connection;
import io.nats.client.impl.Headers;
import io.nats.service.Service;
import io.nats.service.ServiceBuilder;
import io.nats.service.ServiceEndpoint;
import io.nats.service.ServiceMessage;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The NATS micro service {@code agents}: requests over core NATS and their answers. */
public final class RequestReply {
    private static final Logger LOG = LoggerFactory.getLogger(RequestReply.class);
    private static final long PAUSE_MILLIS = 500;
    private static final Duration STOP = Duration.ofSeconds(1);
    /** The version in tests, whose classes come from no jar: the services protocol requires one. */
    private static final String UNRELEASED = "0.0.0";

    private final NatsConnection nats;
    private final String installation;

    RequestReply(NatsConnection nats, String installation) {
        this.nats = nats;
        this.installation = installation;
    }

    /**
     * Serves, through every outage of NATS, until closed. While it serves, {@code nats micro ls} lists it. A request
     * goes to only one instance of the service.
     *
     * @param onRequest called for one request after the other: while it has not returned, further requests wait
     */
    public AutoCloseable serve(Consumer<Request> onRequest) {
        return new Serving(onRequest);
    }

    private Service service(Connection connection, Consumer<Request> onRequest) {
        final String version = RequestReply.class.getPackage().getImplementationVersion();
        return new ServiceBuilder()
                .connection(connection)
                .name(Subjects.AGENTS_SERVICE)
                .version(version == null ? UNRELEASED : version)
                .description("Coding tasks for the WorkerPools of a Kubernetes cluster")
                .metadata(Map.of("installation", installation))
                .drainTimeout(STOP)
                .addServiceEndpoint(endpoint("run", "Creates an AgentTask; answers with its outcome", onRequest))
                .addServiceEndpoint(endpoint("submit", "Creates an AgentTask; answers with its name", onRequest))
                .build();
    }

    private ServiceEndpoint endpoint(String name, String description, Consumer<Request> onRequest) {
        return ServiceEndpoint.builder()
                .endpointName(name)
                .endpointSubject(Subjects.request(name, "*", "*"))
                .endpointMetadata(Map.of(
                        "description",
                        description,
                        "subject",
                        Subjects.request(name, "<namespace>", "<pool>"),
                        "request",
                        "JSON: the spec of an AgentTask without workerPoolRef"))
                .handler(message -> onRequest.accept(new Request(nats, message)))
                .build();
    }

    /** Waits for the first connection; after a reconnect the client subscribes again by itself. */
    private final class Serving implements AutoCloseable {
        private final Thread starting;
        private Service service;
        private boolean closed;

        Serving(Consumer<Request> onRequest) {
            this.starting = Thread.ofVirtual().name("agents").start(() -> start(onRequest));
        }

        private void start(Consumer<Request> onRequest) {
            try {
                while (!tryStart(onRequest)) {
                    Thread.sleep(PAUSE_MILLIS);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        private synchronized boolean tryStart(Consumer<Request> onRequest) {
            if (closed) {
                return true;
            }
            try {
                service = service(nats.connected(), onRequest);
                service.startService();
                LOG.info("requests are taken on {}.>", Subjects.AGENTS_SERVICE);
                return true;
            } catch (QueueUnavailableException | IllegalStateException e) {
                LOG.debug("requests are not taken yet: {}", e.getMessage());
                return false;
            }
        }

        @Override
        public synchronized void close() {
            closed = true;
            starting.interrupt();
            if (service != null) {
                service.stop();
            }
        }
    }

    /** A received request. */
    public static final class Request {
        private final NatsConnection nats;
        private final ServiceMessage message;

        private Request(NatsConnection nats, ServiceMessage message) {
            this.nats = nats;
            this.message = message;
        }

        public String subject() {
            return message.getSubject();
        }

        /** The first value of a header. */
        public Optional<String> header(String name) {
            return message.hasHeaders()
                    ? Optional.ofNullable(message.getHeaders().getFirst(name))
                    : Optional.empty();
        }

        public byte[] body() {
            return message.getData() == null ? new byte[0] : message.getData();
        }

        /** The subject for answers; empty when the caller expects none. */
        public Optional<Replies> replies() {
            return Optional.ofNullable(message.getReplyTo())
                    .filter(RequestReply::isAnInbox)
                    .map(subject -> (body, headers) -> send(nats, subject, body, headers));
        }
    }

    /** The way back to the caller. It can be used at any time, from any thread, any number of times. */
    @FunctionalInterface
    public interface Replies {

        /** @return false when NATS is away: nothing was sent, and the call can be repeated */
        boolean send(byte[] body, Map<String, String> headers);
    }

    /**
     * The server does not restrict a request's reply subject, and the operator may publish everything: a caller could
     * make it publish to JetStream's API. So answers go only to inboxes, and to what a server substitutes for one
     * between accounts.
     */
    private static boolean isAnInbox(String subject) {
        return subject.startsWith("_INBOX") || subject.startsWith("_R_.");
    }

    private static boolean send(NatsConnection nats, String subject, byte[] body, Map<String, String> headers) {
        final Headers all = new Headers();
        headers.forEach((name, value) -> all.put(name, printable(value)));
        try {
            nats.tell(subject, all, body);
            return true;
        } catch (QueueUnavailableException e) {
            LOG.debug("an answer waits for NATS: {}", e.getMessage());
            return false;
        } catch (QueueRefusedException e) {
            LOG.warn("an answer cannot be sent, it is left out: {}", e.getMessage());
            return true;
        }
    }

    /** A header's value is a line of printable ASCII. */
    private static String printable(String value) {
        return value.replaceAll("\\s+", " ").replaceAll("[^ -~]", "?");
    }
}
