package dev.codeforge.operator;

import static dev.codeforge.testing.Patience.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.codeforge.api.WorkerPoolSpec;
import dev.codeforge.operator.settings.NatsSettings;
import dev.codeforge.testing.PoolUser;
import dev.codeforge.testing.Resources;
import dev.codeforge.testing.TestCluster;
import dev.codeforge.testing.TestNats;
import dev.codeforge.testing.TestSettings;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.nats.client.Connection;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What becomes of credentials with time: each test has an operator and a server of its own. */
final class RenewalIT {
    private static final Duration LIFETIME = Duration.ofSeconds(20);

    @Test
    void aCredentialIsRenewedBeforeItExpiresAndNeitherConnectionsNorPodsEndByIt() throws Exception {
        final KubernetesClient client = TestCluster.shared().client();
        final String namespace = TestCluster.shared().newNamespace();
        try (TestNats nats = TestNats.asShipped(client, namespace)) {
            final NatsSettings brief = new NatsSettings.Minted(nats.endpoint().url(), LIFETIME);
            final CodeforgeOperator operator =
                    new CodeforgeOperator(TestSettings.of(namespace, "test", Set.of(namespace), brief, false), client);
            operator.start();
            client.resource(Resources.pool(namespace, "pool", new WorkerPoolSpec.Scaling(0, 5, 2, null, null)))
                    .create();
            final PoolUser worker = new PoolUser(client, nats, namespace, "pool");
            final String first = worker.credential();
            await().atMost(PATIENCE).ignoreExceptions().until(() -> generation(client, namespace)
                    .equals(1L));
            try (Connection connection = worker.connect()) {
                await().atMost(PATIENCE).until(() -> !worker.credential().equals(first));
                assertThat(event(connection, namespace)).contains("EVENTS");
                try (Connection renewed = worker.connect()) {
                    await("the end of the first")
                            .atMost(PATIENCE)
                            .until(() -> connection.getStatus() == Connection.Status.CLOSED);
                    assertThat(event(renewed, namespace)).contains("EVENTS");
                }
            }
            assertThat(generation(client, namespace)).isEqualTo(1L);
            operator.close();
        }
    }

    @Test
    void aServerThatLostItsDiskLearnsItsAccountsAnew() throws Exception {
        final KubernetesClient client = TestCluster.shared().client();
        final String namespace = TestCluster.shared().newNamespace();
        try (TestNats nats = TestNats.asShipped(client, namespace)) {
            final CodeforgeOperator operator =
                    new CodeforgeOperator(TestSettings.of(namespace, "test", Set.of(namespace), nats, false), client);
            operator.start();
            client.resource(Resources.pool(namespace, "pool", new WorkerPoolSpec.Scaling(0, 5, 2, null, null)))
                    .create();
            final PoolUser worker = new PoolUser(client, nats, namespace, "pool");
            worker.connect().close();
            nats.kill();
            nats.startEmpty();
            await().atMost(PATIENCE).ignoreExceptions().until(() -> {
                worker.connect().close();
                return true;
            });
            operator.close();
        }
    }

    private static Long generation(KubernetesClient client, String namespace) {
        return client.apps()
                .deployments()
                .inNamespace(namespace)
                .withName("pool-workers")
                .require()
                .getMetadata()
                .getGeneration();
    }

    private static String event(Connection connection, String namespace) throws InterruptedException {
        return new String(
                connection
                        .request("events." + namespace + ".pool.x", new byte[0], PATIENCE)
                        .getData(),
                StandardCharsets.UTF_8);
    }
}
