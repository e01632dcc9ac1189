package dev.codeforge.testing;

import dev.codeforge.jetstream.NatsEndpoint;
import io.nats.client.Connection;
import io.nats.client.Nats;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.TimeUnit;

/** A real nats-server with JetStream on a port of its own, which can be stopped and started again. */
public final class TestNats implements AutoCloseable {
    private static final Duration START = Duration.ofSeconds(10);
    private final int port;
    private final Path store;
    private Process process;

    public TestNats() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            port = socket.getLocalPort();
        }
        store = Files.createTempDirectory("codeforge-nats");
        start();
    }

    public NatsEndpoint endpoint() {
        return new NatsEndpoint("nats://127.0.0.1:" + port, "", "");
    }

    public Connection connect() throws IOException, InterruptedException {
        return Nats.connect(endpoint().url());
    }

    /** Starts the server on the port and the store it had before, and returns when it answers. */
    public void start() throws IOException {
        process = new ProcessBuilder(
                        TestBinaries.path("nats-server"),
                        "--addr",
                        "127.0.0.1",
                        "--port",
                        Integer.toString(port),
                        "--jetstream",
                        "--store_dir",
                        store.toString())
                .redirectErrorStream(true)
                .redirectOutput(store.resolve("log").toFile())
                .start();
        final Instant end = Instant.now().plus(START);
        while (true) {
            try (Connection connection = connect()) {
                connection.jetStreamManagement().getAccountStatistics();
                return;
            } catch (IOException | io.nats.client.JetStreamApiException | InterruptedException e) {
                if (Instant.now().isAfter(end) || !process.isAlive()) {
                    throw new IOException("nats-server did not start: " + Files.readString(store.resolve("log")), e);
                }
            }
        }
    }

    /** Kills the server; its store stays. */
    public void kill() {
        process.destroyForcibly();
        try {
            process.waitFor(10, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        kill();
    }
}
