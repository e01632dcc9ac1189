package dev.codeforge.operator;

import static dev.codeforge.testing.Patience.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.api.WorkerPoolSpec;
import dev.codeforge.operator.secrets.NatsIdentity;
import dev.codeforge.operator.settings.OperatorSettings;
import dev.codeforge.testing.ForeignOperator;
import dev.codeforge.testing.PoolUser;
import dev.codeforge.testing.Resources;
import dev.codeforge.testing.TestCluster;
import dev.codeforge.testing.TestNats;
import dev.codeforge.testing.TestSettings;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.nats.client.AuthenticationException;
import io.nats.client.Connection;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An operator of a NATS server of somebody else, whose own signing key it has: it makes all accounts there. */
final class OperatorSigningKeyIT {
    private final ForeignOperator owner = new ForeignOperator();

    @TempDir
    private Path secret;

    private KubernetesClient client;
    private String ours;
    private String theirs;
    private TestNats nats;
    private CodeforgeOperator operator;

    @BeforeEach
    void start() throws Exception {
        client = TestCluster.shared().client();
        ours = TestCluster.shared().newNamespace();
        theirs = TestCluster.shared().newNamespace();
        nats = TestNats.takingAccounts(owner);
        Files.writeString(secret.resolve("url"), nats.endpoint().url());
        Files.writeString(secret.resolve("system.creds"), owner.systemUser("codeforge"));
        Files.writeString(secret.resolve("operator-signing-key.nk"), owner.signingSeed());
        final OperatorSettings settings = OperatorSettings.from(Map.of(
                "CODEFORGE_NAMESPACE",
                ours,
                "CODEFORGE_NATS_DIR",
                secret.toString(),
                "CODEFORGE_NATS_USERS",
                "OperatorSigningKey"));
        operator = new CodeforgeOperator(
                TestSettings.of(ours, "test", Set.of(ours, theirs), settings.nats(), false), client);
        operator.start();
    }

    @AfterEach
    void stop() {
        operator.close();
        nats.close();
    }

    @Test
    void aPoolHasAUserInAnAccountOfItsNamespaceAndLosesItWithItsEnd() throws Exception {
        final PoolUser worker = worker(ours);
        final PoolUser neighbour = worker(theirs);
        try (Connection connection = worker.connect();
                Connection stays = neighbour.connect()) {
            assertThat(event(connection, ours)).contains("EVENTS");
            connection.publish("events." + theirs + ".pool.x", new byte[0]);
            worker.awaitRefusal("events." + theirs + ".pool.x");
            client.resources(WorkerPool.class)
                    .inNamespace(ours)
                    .withName("pool")
                    .delete();
            await("the end of the pool's connection")
                    .atMost(PATIENCE)
                    .until(() -> connection.getStatus() == Connection.Status.CLOSED);
            assertThat(event(stays, theirs)).contains("EVENTS");
        }
        assertThatThrownBy(worker::connectAsAtFirst).isInstanceOf(AuthenticationException.class);
    }

    @Test
    void aServerThatLostItsDiskLearnsItsAccountsAnew() throws Exception {
        final PoolUser worker = worker(ours);
        worker.connect().close();
        nats.kill();
        nats.startEmpty();
        await("the way in").atMost(PATIENCE).ignoreExceptions().until(() -> {
            try (Connection connection = worker.connect()) {
                return event(connection, ours).contains("EVENTS");
            }
        });
    }

    @Test
    void peopleHaveUsersThereToo() throws Exception {
        worker(ours).connect().close();
        try (Connection admin = PoolUser.connect(
                nats,
                PoolUser.decoded(
                        client.secrets()
                                .inNamespace(ours)
                                .withName(NatsIdentity.USERS_SECRET)
                                .require(),
                        "admin.creds"),
                "_INBOX",
                new CopyOnWriteArrayList<>())) {
            assertThat(admin.jetStreamManagement().getStreamNames()).contains("EVENTS");
        }
    }

    private PoolUser worker(String namespace) {
        client.resource(Resources.pool(namespace, "pool", new WorkerPoolSpec.Scaling(0, 5, 2, null, null)))
                .create();
        return new PoolUser(client, nats, namespace, "pool");
    }

    private static String event(Connection connection, String namespace) throws InterruptedException {
        return new String(
                connection
                        .request("events." + namespace + ".pool.x", new byte[0], PATIENCE)
                        .getData(),
                StandardCharsets.UTF_8);
    }
}
