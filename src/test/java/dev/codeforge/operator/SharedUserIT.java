package dev.codeforge.operator;

import static dev.codeforge.testing.Patience.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.operator.settings.NatsSettings;
import dev.codeforge.operator.status.Conditions;
import dev.codeforge.testing.PoolUser;
import dev.codeforge.testing.Resources;
import dev.codeforge.testing.TestCluster;
import dev.codeforge.testing.TestNats;
import dev.codeforge.testing.TestSettings;
import dev.codeforge.wire.Subjects;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.nats.client.Connection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** An operator of a NATS server that has one user for all workers. */
final class SharedUserIT {
    @Test
    void poolsOfASecondNamespaceAreRefusedWithWhatToSet() throws Exception {
        final KubernetesClient client = TestCluster.shared().client();
        // Of two pools of one second the one whose namespace comes first by name is the older one.
        final List<String> namespaces = Stream.generate(TestCluster.shared()::newNamespace)
                .limit(2)
                .sorted()
                .toList();
        final String first = namespaces.getFirst();
        final String second = namespaces.getLast();
        try (TestNats nats = TestNats.withUsers()) {
            final NatsSettings users = new NatsSettings.Given(nats.endpoint(), nats.workerEndpoint(), false);
            final CodeforgeOperator operator =
                    new CodeforgeOperator(TestSettings.of(first, "test", Set.of(first, second), users, false), client);
            operator.start();
            client.resource(Resources.pool(first, "pool", null)).create();
            awaitReason(client, first, "WorkersStarting");
            client.resource(Resources.pool(second, "pool", null)).create();
            assertThat(awaitReason(client, second, "SharedNatsUser").getMessage())
                    .contains("namespace " + first)
                    .contains("Set nats.sharedUser");
            try (Connection connection = nats.connect()) {
                assertThat(connection.jetStreamManagement().getStreamNames())
                        .contains(Subjects.poolStream(first, "pool"))
                        .doesNotContain(Subjects.poolStream(second, "pool"));
            }
            assertThat(client.secrets()
                            .inNamespace(second)
                            .withName("pool-workers")
                            .get())
                    .isNull();
            operator.close();
        }
    }

    @Test
    void whereItMayBeSharedThePoolsOfAllNamespacesHaveItAndNeverTheOperatorsOwn() throws Exception {
        final KubernetesClient client = TestCluster.shared().client();
        final String first = TestCluster.shared().newNamespace();
        final String second = TestCluster.shared().newNamespace();
        try (TestNats nats = TestNats.withUsers()) {
            final NatsSettings users = new NatsSettings.Given(nats.endpoint(), nats.workerEndpoint(), true);
            final CodeforgeOperator operator =
                    new CodeforgeOperator(TestSettings.of(first, "test", Set.of(first, second), users, false), client);
            operator.start();
            for (final String namespace : List.of(first, second)) {
                client.resource(Resources.pool(namespace, "pool", null)).create();
                awaitReason(client, namespace, "WorkersStarting");
                final Secret secret = client.secrets()
                        .inNamespace(namespace)
                        .withName("pool-workers")
                        .require();
                assertThat(PoolUser.decoded(secret, "username"))
                        .isEqualTo(nats.workerEndpoint().username());
                assertThat(PoolUser.decoded(secret, "password"))
                        .isEqualTo(nats.workerEndpoint().password());
            }
            operator.close();
        }
    }

    private static Condition awaitReason(KubernetesClient client, String namespace, String reason) {
        return await().atMost(PATIENCE)
                .until(
                        () -> Optional.ofNullable(client.resources(WorkerPool.class)
                                        .inNamespace(namespace)
                                        .withName("pool")
                                        .get())
                                .flatMap(WorkerPool::observedStatus)
                                .flatMap(status -> Conditions.find(status.conditions(), "Ready"))
                                .filter(ready -> reason.equals(ready.getReason())),
                        Optional::isPresent)
                .orElseThrow();
    }
}
