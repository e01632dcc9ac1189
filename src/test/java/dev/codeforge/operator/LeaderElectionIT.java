package dev.codeforge.operator;

import static dev.codeforge.testing.Patience.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import dev.codeforge.operator.settings.OperatorSettings;
import dev.codeforge.testing.Resources;
import dev.codeforge.testing.ScriptedWorker;
import dev.codeforge.testing.TestCluster;
import dev.codeforge.testing.TestNats;
import dev.codeforge.testing.TestSettings;
import dev.codeforge.wire.TaskEvent;
import io.fabric8.kubernetes.api.model.coordination.v1.LeaseSpec;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.nats.client.Connection;
import io.nats.service.Discovery;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Two operators, one lease. */
final class LeaderElectionIT {
    private static final Duration SHORTER_THAN_AN_ACK_WAIT = Duration.ofSeconds(20);

    @Test
    void theOneThatStandsByHoldsNoResultBack() throws Exception {
        final KubernetesClient client = TestCluster.shared().client();
        final String namespace = TestCluster.shared().newNamespace();
        // Both live until the JVM ends: the framework ends a leader by ending the process.
        final TestNats nats = new TestNats();
        Runtime.getRuntime().addShutdownHook(new Thread(nats::close));
        for (final String name : new String[] {"first", "second"}) {
            new CodeforgeOperator(settings(name, namespace, nats), client).start();
        }
        client.resource(Resources.pool(namespace, "pool", null)).create();
        for (int i = 0; i < 10; i++) {
            client.resource(Resources.task(namespace, "task-" + i, "pool")).create();
            await().atMost(SHORTER_THAN_AN_ACK_WAIT).until(phaseOf(client, namespace, i, Phase.Queued));
            try (ScriptedWorker worker = new ScriptedWorker(nats, namespace, "pool")) {
                worker.take();
                // One event a task: of two, taken in turn, the leader would always see one.
                worker.write(TaskEvent.Kind.COMPLETED);
                worker.ack();
            }
            await().atMost(SHORTER_THAN_AN_ACK_WAIT).until(phaseOf(client, namespace, i, Phase.Succeeded));
        }
        try (Connection asking = nats.connect()) {
            assertThat(new Discovery(asking).ping("agents"))
                    .as("who takes requests")
                    .hasSize(1);
        }
    }

    @Test
    void theOneThatStandsByLeadsAsSoonAsTheLeaderHasStopped() throws Exception {
        final KubernetesClient client = TestCluster.shared().client();
        final String namespace = TestCluster.shared().newNamespace();
        try (TestNats nats = new TestNats();
                CodeforgeOperator first = new CodeforgeOperator(settings("first", namespace, nats), client)) {
            first.start();
            await().atMost(PATIENCE)
                    .until(() -> "first".equals(lease(client, namespace).getHolderIdentity()));
            try (CodeforgeOperator second = new CodeforgeOperator(settings("second", namespace, nats), client)) {
                second.start();
                first.close();
                final ZonedDateTime stopped = ZonedDateTime.now(ZoneOffset.UTC);
                await().atMost(PATIENCE)
                        .until(() -> "second".equals(lease(client, namespace).getHolderIdentity()));
                // It would have had to wait for the end of 15 s since the last renewal.
                assertThat(lease(client, namespace).getAcquireTime()).isBefore(stopped.plusSeconds(10));
            }
        }
        assertThat(lease(client, namespace).getHolderIdentity()).isEmpty();
    }

    private static LeaseSpec lease(KubernetesClient client, String namespace) {
        return client.leases()
                .inNamespace(namespace)
                .withName("codeforge-operator")
                .require()
                .getSpec();
    }

    private static java.util.concurrent.Callable<Boolean> phaseOf(
            KubernetesClient client, String namespace, int task, Phase phase) {
        return () -> client.resources(AgentTask.class)
                .inNamespace(namespace)
                .withName("task-" + task)
                .require()
                .observedStatus()
                .map(AgentTaskStatus::phase)
                .filter(phase::equals)
                .isPresent();
    }

    private static OperatorSettings settings(String name, String namespace, TestNats nats) {
        return TestSettings.of(namespace, name, Set.of(namespace), nats, true);
    }
}
