package dev.codeforge.jetstream;

import dev.codeforge.wire.Subjects;
import io.nats.client.Connection;
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

/** {@link RequestReply} over jnats' services. */
final class NatsRequestReply implements RequestReply {
    private static final Logger LOG = LoggerFactory.getLogger(NatsRequestReply.class);
    private static final long PAUSE_MILLIS = 500;
    private static final Duration STOP = Duration.ofSeconds(1);
    /** Of classes that come from no jar, as in tests: the services protocol wants a version. */
    private static final String UNRELEASED = "0.0.0";

    private final NatsConnection nats;
    private final String installation;

    NatsRequestReply(NatsConnection nats, String installation) {
        this.nats = nats;
        this.installation = installation;
    }

    @Override
    public AutoCloseable serve(Consumer<Request> onRequest) {
        return new Serving(onRequest);
    }

    private Service service(Connection connection, Consumer<Request> onRequest) {
        final String version = NatsRequestReply.class.getPackage().getImplementationVersion();
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
                .handler(message -> onRequest.accept(new Received(nats, message)))
                .build();
    }

    /** Waits for the first connection; later ones are subscribed anew by the client itself. */
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

    private record Received(NatsConnection nats, ServiceMessage message) implements Request {
        @Override
        public String subject() {
            return message.getSubject();
        }

        @Override
        public Optional<String> header(String name) {
            return message.hasHeaders()
                    ? Optional.ofNullable(message.getHeaders().getFirst(name))
                    : Optional.empty();
        }

        @Override
        public byte[] body() {
            return message.getData() == null ? new byte[0] : message.getData();
        }

        @Override
        public Optional<Replies> replies() {
            return Optional.ofNullable(message.getReplyTo())
                    .filter(ReplySubject::isAnInbox)
                    .map(subject -> new ReplySubject(nats, subject));
        }
    }
}
