package dev.codeforge.jetstream;

import static org.awaitility.Awaitility.await;

import dev.codeforge.testing.TestNats;
import io.nats.client.Connection;
import io.nats.client.JetStreamManagement;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.CopyOnWriteArrayList;

/** A real nats-server with the shared streams, the operator's connection to it and another one for the test. */
final class JetStreamFixture implements AutoCloseable {
    static final String INSTALLATION = "test-cluster";
    static final StreamOwner OWNER = new StreamOwner(INSTALLATION, false);
    final TestNats server;
    final NatsConnection nats;
    final SharedStreams streams;
    final Connections connections;
    final Connection client;

    JetStreamFixture() throws IOException, InterruptedException {
        server = new TestNats();
        nats = new NatsConnection(server.endpoint(), "test");
        connections = new NatsConnections(server.endpoint(), INSTALLATION);
        client = server.connect();
        streams = new SharedStreams(nats, INSTALLATION);
        await().until(() -> nats.isConnected() && connections.isConnected());
        streams.ensure();
    }

    JetStreamManagement management() throws IOException {
        return client.jetStreamManagement();
    }

    /** A pool's stream and consumer; a message may be silent for a second. */
    String queue(String pool) {
        final String stream = "tasks_ns_" + pool;
        connections
                .queue()
                .ensure(new TaskQueue.Settings(
                        stream,
                        "tasks.test." + pool,
                        false,
                        OptionalInt.empty(),
                        OptionalLong.empty(),
                        OptionalLong.empty(),
                        Duration.ofSeconds(1),
                        1000,
                        false,
                        OWNER));
        return stream;
    }

    /** Requests on a subject, as the server sees them. */
    List<String> requests(String subject) throws Exception {
        final List<String> seen = new CopyOnWriteArrayList<>();
        client.createDispatcher(message -> {
                    // By JS_SRC the server itself asks: a stream copies from another.
                    if (!message.getSubject().contains(".JS_SRC_")) {
                        seen.add(message.getSubject());
                    }
                })
                .subscribe(subject);
        client.flush(Duration.ofSeconds(5));
        return seen;
    }

    @Override
    public void close() {
        connections.close();
        nats.close();
        try {
            client.close();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        server.close();
    }
}
