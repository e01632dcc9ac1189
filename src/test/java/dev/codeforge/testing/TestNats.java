package dev.codeforge.testing;

import static dev.codeforge.testing.Patience.PATIENCE;

import dev.codeforge.identity.Mint;
import dev.codeforge.jetstream.NatsAccess;
import dev.codeforge.operator.secrets.NatsIdentity;
import dev.codeforge.operator.settings.NatsSettings;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.nats.client.Connection;
import io.nats.client.ErrorListener;
import io.nats.client.Nats;
import io.nats.client.Options;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.Supplier;

/** A real nats-server with JetStream on a port of its own, which can be stopped and started again. */
public final class TestNats implements AutoCloseable {
    private static final Path SHIPPED = Path.of("helm/codeforge-operator/files/nats.conf");
    private static final Path WITH_USERS = Path.of("examples/external-nats/nats.conf");
    private static final Duration LIFETIME = Duration.ofHours(24);
    private static final String PASSWORD = "-pw";

    private final int port = FreePort.take();
    private final Path home = TestFolder.make("nats");
    private final List<String> command = new ArrayList<>();
    private final boolean users;
    /** Credentials of one who may do everything, of a server in operator mode. */
    private final Optional<Supplier<String>> admin;

    private final boolean minted;
    private Process process;

    /** A server that lets everybody do everything. */
    public TestNats() throws IOException {
        this(false, Optional.empty(), false);
        command.addAll(List.of(
                "--addr",
                "127.0.0.1",
                "--port",
                Integer.toString(port),
                "--jetstream",
                "--store_dir",
                data().toString()));
        start();
    }

    private TestNats(boolean users, Optional<Supplier<String>> admin, boolean minted) throws IOException {
        this.users = users;
        this.admin = admin;
        this.minted = minted;
        // A test that could not even begin closes nothing.
        Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().unstarted(this::kill));
        command.add(TestBinaries.path("nats-server"));
    }

    private TestNats(Path configuration, boolean users, Optional<Mint> mint) throws IOException {
        this(
                users,
                mint.map(identities ->
                        () -> identities.streams("admin", Instant.now()).file()),
                mint.isPresent());
        String text = Files.readString(configuration);
        for (final Map.Entry<String, String> change : Map.of(
                        "0.0.0.0:4222",
                        "127.0.0.1:" + port,
                        "http: 0.0.0.0:8222",
                        "",
                        "/data",
                        data().toString(),
                        "max_file_store: " + (users ? "4GB" : "%MAX_FILE_STORE%"),
                        "max_file_store: 4GB")
                .entrySet()) {
            if (!text.contains(change.getKey())) {
                throw new IllegalStateException(change.getKey() + " is not in " + configuration + " any more");
            }
            text = text.replace(change.getKey(), change.getValue());
        }
        configure(text);
    }

    private void configure(String text) throws IOException {
        command.addAll(List.of(
                "--config", Files.writeString(home.resolve("nats.conf"), text).toString()));
    }

    /** A server in operator mode of somebody else, with the accounts that were made until now. */
    public static TestNats of(ForeignOperator operator) throws IOException {
        return of(operator, operator::withTheseAccounts);
    }

    /** A server in operator mode of somebody else, which can be given accounts while it runs. */
    public static TestNats takingAccounts(ForeignOperator operator) throws IOException {
        return of(operator, operator::withMoreAccounts);
    }

    private static TestNats of(ForeignOperator operator, BiFunction<Integer, Path, String> configuration)
            throws IOException {
        final TestNats nats = new TestNats(false, Optional.of(() -> operator.streamsUser("admin")), false);
        nats.configure(configuration.apply(nats.port, nats.data()));
        nats.start();
        return nats;
    }

    /** A server with users and passwords, as one that the chart has not installed. */
    public static TestNats withUsers() throws IOException {
        final TestNats nats = new TestNats(WITH_USERS, true, Optional.empty());
        nats.start();
        return nats;
    }

    /** As the chart ships it, for the operator of this namespace, whose keys are made if it has none. */
    public static TestNats asShipped(KubernetesClient client, String namespace) throws IOException {
        final TestNats nats = notStarted(client, namespace);
        nats.start();
        return nats;
    }

    /** As the chart ships it, with a store to be filled before it is started. */
    public static TestNats notStarted(KubernetesClient client, String namespace) throws IOException {
        final Mint mint =
                NatsIdentity.readOrCreate(client, namespace, Clock.systemUTC()).mint();
        final TestNats nats = new TestNats(SHIPPED, false, Optional.of(mint));
        final Map<String, String> secret = client.secrets()
                .inNamespace(namespace)
                .withName(NatsIdentity.SECRET)
                .require()
                .getData();
        for (final String file : List.of("operator.conf", "streams-account")) {
            Files.write(nats.home.resolve(file), Base64.getDecoder().decode(secret.get(file)));
        }
        return nats;
    }

    /** Its configuration, as the chart mounts it. */
    public Path configuration() {
        return home;
    }

    /** Its store. */
    public Path data() {
        return home.resolve("data");
    }

    /** How an operator is to use it. */
    public NatsSettings settings() {
        return minted
                ? new NatsSettings.Minted(endpoint().url(), LIFETIME)
                : new NatsSettings.Given(endpoint(), endpoint(), true);
    }

    public int port() {
        return port;
    }

    /** The server as the operator's user. */
    public NatsAccess.Password endpoint() {
        return endpoint("operator");
    }

    /** The server as the workers' user. */
    public NatsAccess.Password workerEndpoint() {
        return endpoint("worker");
    }

    /** The server as the user who may ask for tasks. */
    public NatsAccess.Password clientEndpoint() {
        return endpoint("client");
    }

    /** The server as the user who follows tasks. */
    public NatsAccess.Password consoleEndpoint() {
        return endpoint("console");
    }

    private NatsAccess.Password endpoint(String user) {
        final String url = "nats://127.0.0.1:" + port;
        return users ? new NatsAccess.Password(url, user, user + PASSWORD) : new NatsAccess.Password(url, "", "");
    }

    public Connection connect() throws IOException, InterruptedException {
        final Options.Builder options = Options.builder()
                .server(endpoint().url())
                .maxReconnects(-1)
                .reconnectWait(Duration.ofMillis(200))
                // A killed server is what the tests want: no lines about it.
                .errorListener(new ErrorListener() {});
        if (users) {
            options.userInfo(endpoint().username(), endpoint().password());
        }
        admin.ifPresent(credentials ->
                options.authHandler(Nats.staticCredentials(credentials.get().getBytes(StandardCharsets.US_ASCII))));
        return Nats.connect(options.build());
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
                        "client" + PASSWORD,
                        "CONSOLE_PASSWORD",
                        "console" + PASSWORD));
        process = builder.redirectErrorStream(true)
                .redirectOutput(
                        ProcessBuilder.Redirect.appendTo(home.resolve("log").toFile()))
                .start();
        final Instant end = Instant.now().plus(PATIENCE);
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
        TestFolder.delete(data());
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
            TestFolder.delete(data());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
