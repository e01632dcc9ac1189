package dev.codeforge.testing;

import static dev.codeforge.testing.Patience.PATIENCE;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.nats.client.Connection;
import io.nats.client.ErrorListener;
import io.nats.client.Message;
import io.nats.client.Nats;
import io.nats.client.Options;
import io.nats.client.Subscription;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/** Who has the Secret of a pool: a worker, or somebody who took it. */
public final class PoolUser {
    private final KubernetesClient client;
    private final TestNats nats;
    private final String namespace;
    private final String pool;
    private final String first;
    private final List<String> errors = new CopyOnWriteArrayList<>();

    /** Waits for the Secret. */
    public PoolUser(KubernetesClient client, TestNats nats, String namespace, String pool) {
        this.client = client;
        this.nats = nats;
        this.namespace = namespace;
        this.pool = pool;
        this.first =
                await().atMost(PATIENCE).until(this::find, Optional::isPresent).orElseThrow();
    }

    private Optional<String> find() {
        return Optional.ofNullable(client.secrets()
                        .inNamespace(namespace)
                        .withName(pool + "-workers")
                        .get())
                .map(secret -> decoded(secret, "nats.creds"));
    }

    /** The credential as it is now. */
    public String credential() {
        return find().orElseThrow();
    }

    public Connection connect() throws IOException, InterruptedException {
        return connect(credential());
    }

    /** With the credential that it had at first. */
    public Connection connectAsAtFirst() throws IOException, InterruptedException {
        return connect(first);
    }

    private Connection connect(String credential) throws IOException, InterruptedException {
        return connect(nats, credential, "_INBOX." + namespace + "." + pool, errors);
    }

    /** @param errors of the server, as they come */
    public static Connection connect(TestNats nats, String credential, String inbox, List<String> errors)
            throws IOException, InterruptedException {
        return connect(
                nats,
                options -> options.authHandler(Nats.staticCredentials(credential.getBytes(StandardCharsets.US_ASCII))),
                inbox,
                errors);
    }

    /**
     * @param login says who it is
     * @param errors of the server, as they come
     */
    public static Connection connect(TestNats nats, Consumer<Options.Builder> login, String inbox, List<String> errors)
            throws IOException, InterruptedException {
        final Options.Builder options = Options.builder();
        login.accept(options);
        return Nats.connect(options.server(nats.endpoint().url())
                .inboxPrefix(inbox + ".")
                .noReconnect()
                .errorListener(new ErrorListener() {
                    @Override
                    public void errorOccurred(Connection connection, String error) {
                        errors.add(error);
                    }
                })
                .build());
    }

    /** A task of its pool, as it lies in the queue. */
    public Message pull(Connection connection) throws InterruptedException {
        // A pulled message keeps its subject, so that it is no answer to a request of the client library.
        final String inbox = "_INBOX." + namespace + "." + pool + ".pulls";
        final Subscription pulls = connection.subscribe(inbox);
        connection.publish(
                "$JS.API.CONSUMER.MSG.NEXT.tasks_" + namespace + "_" + pool + ".workers",
                inbox,
                ("{\"batch\":1,\"expires\":" + PATIENCE.toNanos() + "}").getBytes(StandardCharsets.US_ASCII));
        final Message message = pulls.nextMessage(PATIENCE);
        pulls.unsubscribe();
        return Objects.requireNonNull(message, "no task came");
    }

    public static String decoded(Secret secret, String key) {
        return new String(Base64.getDecoder().decode(secret.getData().get(key)), StandardCharsets.US_ASCII);
    }

    /** Waits until the server has said that it refused this. */
    public void awaitRefusal(String subject) {
        await(subject).atMost(PATIENCE).until(() -> errors.stream()
                .anyMatch(error -> error.startsWith("Permissions Violation") && error.contains("\"" + subject)));
    }
}
