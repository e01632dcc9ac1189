package dev.codeforge.testing;

import dev.codeforge.jetstream.NatsEndpoint;
import io.nats.client.Connection;
import io.nats.client.ErrorListener;
import io.nats.client.Nats;
import io.nats.client.Options;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A real nats-server with JetStream on a port of its own, which can be stopped and started again. */
public final class TestNats implements AutoCloseable {
    private static final Duration START = Duration.ofSeconds(10);
    private static final Path SHIPPED = Path.of("helm/codeforge-operator/files/nats.conf");
    private static final String PASSWORD = "-pw";

    private final int port = FreePort.take();
    private final Path home = TestFolder.make("nats");
    private final List<String> command = new ArrayList<>();
    private final boolean users;
    private Process process;

    /** A server that lets everybody do everything. */
    public TestNats() throws IOException {
        this(false);
    }

    private TestNats(boolean users) throws IOException {
        this.users = users;
        // A test that could not even begin closes nothing.
        Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().unstarted(this::kill));
        command.add(TestBinaries.path("nats-server"));
        command.addAll(
                users
                        ? List.of("--config", shippedConfiguration().toString())
                        : List.of(
                                "--addr",
                                "127.0.0.1",
                                "--port",
                                Integer.toString(port),
                                "--jetstream",
                                "--store_dir",
                                home.resolve("data").toString()));
        start();
    }

    /** A server with the configuration, the users and the permissions that the chart ships. */
    public static TestNats asShipped() throws IOException {
        return new TestNats(true);
    }

    private Path shippedConfiguration() throws IOException {
        String text = Files.readString(SHIPPED);
        for (final Map.Entry<String, String> change : Map.of(
                        "0.0.0.0:4222",
                        "127.0.0.1:" + port,
                        "http: 0.0.0.0:8222",
                        "",
                        "/data",
                        home.resolve("data").toString(),
                        "%MAX_FILE_STORE%",
                        "4GB")
                .entrySet()) {
            if (!text.contains(change.getKey())) {
                throw new IllegalStateException(change.getKey() + " is not in " + SHIPPED + " any more");
            }
            text = text.replace(change.getKey(), change.getValue());
        }
        return Files.writeString(home.resolve("nats.conf"), text);
    }

    public int port() {
        return port;
    }

    /** The server as the operator's user. */
    public NatsEndpoint endpoint() {
        return endpoint("operator");
    }

    /** The server as the workers' user. */
    public NatsEndpoint workerEndpoint() {
        return endpoint("worker");
    }

    /** The server as the user who may ask for tasks. */
    public NatsEndpoint clientEndpoint() {
        return endpoint("client");
    }

    private NatsEndpoint endpoint(String user) {
        final String url = "nats://127.0.0.1:" + port;
        return users ? new NatsEndpoint(url, user, user + PASSWORD) : new NatsEndpoint(url, "", "");
    }

    public Connection connect() throws IOException, InterruptedException {
        final Options.Builder options = Options.builder()
                .server(endpoint().url())
                .maxReconnects(-1)
                .reconnectWait(Duration.ofMillis(200))
                // A killed server is what the tests want: no lines about it.
                .errorListener(new ErrorListener() {});
        return Nats.connect(
                users
                        ? options.userInfo(endpoint().username(), endpoint().password())
                                .build()
                        : options.build());
    }

    /** Starts the server on the port and the store it had before, and returns when it answers. */
    public void start() throws IOException {
        final ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment()
                .putAll(Map.of(
                        "POD_NAME",
                        "test",
                        "OPERATOR_PASSWORD",
                        "operator" + PASSWORD,
                        "WORKER_PASSWORD",
                        "worker" + PASSWORD,
                        "CLIENT_PASSWORD",
                        "client" + PASSWORD));
        process = builder.redirectErrorStream(true)
                .redirectOutput(
                        ProcessBuilder.Redirect.appendTo(home.resolve("log").toFile()))
                .start();
        final Instant end = Instant.now().plus(START);
        while (true) {
            try (Connection connection = connect()) {
                connection.jetStreamManagement().getAccountStatistics();
                return;
            } catch (IOException | io.nats.client.JetStreamApiException | InterruptedException e) {
                if (Instant.now().isAfter(end) || !process.isAlive()) {
                    throw new IOException("nats-server did not start: " + Files.readString(home.resolve("log")), e);
                }
            }
        }
    }

    /** Starts the server on its port with nothing stored: the broker was lost with its disk. */
    public void startEmpty() throws IOException {
        TestFolder.delete(home.resolve("data"));
        start();
    }

    /** Kills the server; its store stays. */
    public void kill() {
        if (process != null) {
            process.destroyForcibly();
            process.onExit().join();
        }
    }

    /** Ends the server; its log stays. */
    @Override
    public void close() {
        kill();
        try {
            TestFolder.delete(home.resolve("data"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
