package dev.codeforge.operator.deadletter;

import static dev.codeforge.testing.Patience.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import dev.codeforge.operator.CodeforgeOperator;
import dev.codeforge.operator.status.Conditions;
import dev.codeforge.testing.Resources;
import dev.codeforge.testing.TestCluster;
import dev.codeforge.testing.TestNats;
import dev.codeforge.testing.TestSettings;
import dev.codeforge.wire.Subjects;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.nats.client.Connection;
import io.nats.client.ConsumerContext;
import io.nats.client.Message;
import java.time.Duration;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the whole operator makes of a task whose workers die before they can write an event. */
final class ExhaustedTaskIT {
    /** What the pool's consumer allows; the operator mends one that allows less. */
    private static final int DELIVERIES = 100;

    private static TestNats nats;
    private static KubernetesClient client;
    private static CodeforgeOperator operator;
    private String namespace;
    private String stream;

    @BeforeAll
    static void start() throws Exception {
        nats = new TestNats();
        client = TestCluster.shared().client();
        operator = new CodeforgeOperator(
                TestSettings.of(TestCluster.shared().newNamespace(), "test", Set.of(), nats, false), client);
        operator.start();
    }

    @AfterAll
    static void stop() {
        operator.close();
        nats.close();
    }

    @BeforeEach
    void queuedTask() throws Exception {
        namespace = TestCluster.shared().newNamespace();
        stream = Subjects.poolStream(namespace, "pool");
        create(Resources.pool(namespace, "pool", null));
        create(Resources.task(namespace, "task", "pool"));
        awaitPhase(Phase.Queued);
    }

    @Test
    void itFailsAndItsMessageIsInTheDeadLetters() throws Exception {
        try (Connection connection = nats.connect()) {
            exhaust(connection);
            awaitBurial(connection);
        }
    }

    @Test
    void itIsFoundAlsoWhenNobodyHeardTheAdvisory() throws Exception {
        try (Connection connection = nats.connect()) {
            connection.jetStreamManagement().deleteStream(Subjects.ADVISORIES_STREAM);
            // Without interest an advisory is not sent: give it no time to be made again.
            exhaust(connection);
            awaitBurial(connection);
        }
    }

    @Test
    void aMessageThatAWorkerTerminatesIsNotPublishedAgainAndAgain() throws Exception {
        try (Connection connection = nats.connect()) {
            final Message message = workers(connection).next(PATIENCE);
            connection.publish(message.getReplyTo(), "+TERM Unparsable".getBytes());
            assertThat(awaitPhase(Phase.Failed).error().type()).isEqualTo("Unparsable");
            assertThat(messages(connection)).isZero();
        }
    }

    private void exhaust(Connection connection) throws Exception {
        final ConsumerContext workers = workers(connection);
        for (int i = 0; i < DELIVERIES; i++) {
            workers.next(PATIENCE).nak();
        }
        // The server says so only when a worker asks for more.
        assertThat(workers.next(Duration.ofSeconds(1))).isNull();
    }

    private ConsumerContext workers(Connection connection) throws Exception {
        return connection.getConsumerContext(stream, Subjects.WORKERS_DURABLE);
    }

    private void awaitBurial(Connection connection) throws Exception {
        final AgentTaskStatus status = awaitPhase(Phase.Failed);
        assertThat(status.error().type()).isEqualTo("MaxDeliveriesExceeded");
        assertThat(Conditions.isTrue(status.conditions(), "DeadLettered")).isTrue();
        await().atMost(PATIENCE).until(() -> messages(connection) == 0);
        assertThat(connection
                        .jetStreamManagement()
                        .getLastMessage(Subjects.DEADLETTERS_STREAM, Subjects.deadLetters(namespace, "pool"))
                        .getData())
                .asString()
                .contains("say hello");
    }

    private long messages(Connection connection) throws Exception {
        return connection
                .jetStreamManagement()
                .getStreamInfo(stream)
                .getStreamState()
                .getMsgCount();
    }

    private AgentTaskStatus awaitPhase(Phase phase) {
        return await().atMost(PATIENCE)
                .until(
                        () -> client.resources(AgentTask.class)
                                .inNamespace(namespace)
                                .withName("task")
                                .get()
                                .observedStatus()
                                .orElseGet(AgentTaskStatus::unobserved),
                        status -> status.phase() == phase);
    }

    private static void create(HasMetadata resource) {
        resource.getMetadata().setUid(null);
        resource.getMetadata().setGeneration(null);
        client.resource(resource).create();
    }
}
