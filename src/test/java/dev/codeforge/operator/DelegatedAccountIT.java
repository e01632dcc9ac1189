package dev.codeforge.operator;

import static dev.codeforge.testing.Patience.PATIENCE;
import static dev.codeforge.testing.Patience.throughout;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.api.WorkerPoolSpec;
import dev.codeforge.operator.settings.OperatorSettings;
import dev.codeforge.operator.status.Conditions;
import dev.codeforge.testing.ForeignOperator;
import dev.codeforge.testing.ForeignOperator.Handed;
import dev.codeforge.testing.PoolUser;
import dev.codeforge.testing.Resources;
import dev.codeforge.testing.TestCluster;
import dev.codeforge.testing.TestNats;
import dev.codeforge.testing.TestSettings;
import dev.codeforge.wire.TaskMessage;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.nats.client.Connection;
import io.nats.client.Message;
import io.nats.client.Subscription;
import io.nats.client.api.StreamInfo;
import io.nats.client.impl.NatsMessage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.ZonedDateTime;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An operator of a NATS server whose owner hands out signing keys of accounts: what a pool's Secret opens, by layout. */
final class DelegatedAccountIT {
    private final ForeignOperator owner = new ForeignOperator();

    @TempDir
    private Path secret;

    private KubernetesClient client;
    private String ours;
    private String theirs;

    @BeforeEach
    void namespaces() throws IOException {
        client = TestCluster.shared().client();
        ours = TestCluster.shared().newNamespace();
        theirs = TestCluster.shared().newNamespace();
        Files.writeString(secret.resolve("operator.creds"), owner.streamsUser("codeforge"));
    }

    @Test
    void withAnAccountForAllWorkersAPoolReachesItsOwnTasksAndNoStreamOfOthers() throws Exception {
        hand("workers", owner.workers("WORKERS"));
        try (TestNats nats = TestNats.of(owner)) {
            final CodeforgeOperator operator = started(nats, "86400");
            servesItsOwnTasksAlone(nats);
            anAnswerSentToTheApiDoesNothing(nats);
            operator.close();
        }
    }

    @Test
    void aScopedKeyIsEnough() throws Exception {
        hand("workers", owner.workersWithScopedKey("WORKERS"));
        try (TestNats nats = TestNats.of(owner)) {
            final CodeforgeOperator operator = started(nats, "86400");
            servesItsOwnTasksAlone(nats);
            anAnswerSentToTheApiDoesNothing(nats);
            operator.close();
        }
    }

    /** What condition Isolated says of this layout is so: a permission does not bind the subject of an answer. */
    @Test
    void inTheAccountWithTheStreamsAPoolsOwnRightsAreEnoughToDeleteThem() throws Exception {
        hand("workers", owner.streamsWithKey());
        try (TestNats nats = TestNats.of(owner)) {
            final CodeforgeOperator operator = started(nats, "86400");
            servesItsOwnTasksAlone(nats);
            anAnswerSentToTheApiDeletesAStream(nats);
            operator.close();
        }
    }

    @Test
    void aNamespaceWithoutAnAccountIsToldWhichKeysAreMissing() throws Exception {
        hand("account-" + ours, owner.workers("OURS"));
        try (TestNats nats = TestNats.of(owner)) {
            final CodeforgeOperator operator = started(nats, "86400");
            client.resource(Resources.pool(theirs, "pool", null)).create();
            assertThat(awaitReason(theirs, "NatsAccountMissing").getMessage())
                    .contains("'account-" + theirs + ".jwt' and 'account-" + theirs + ".nk'")
                    .contains("restart the operator");
            final PoolUser worker = worker(nats, ours);
            worker.connect().close();
            assertThat(client.secrets()
                            .inNamespace(theirs)
                            .withName("pool-workers")
                            .get())
                    .isNull();
            operator.close();
        }
    }

    @Test
    void aCredentialIsRenewedBeforeItExpiresAndThenRefused() throws Exception {
        hand("workers", owner.workers("WORKERS"));
        try (TestNats nats = TestNats.of(owner)) {
            final CodeforgeOperator operator = started(nats, "10");
            final PoolUser worker = worker(nats, ours);
            final String first = worker.credential();
            try (Connection connection = worker.connect()) {
                await("a new credential").atMost(PATIENCE).until(() -> !worker.credential()
                        .equals(first));
                await("the end of the first one")
                        .atMost(PATIENCE)
                        .until(() -> connection.getStatus() == Connection.Status.CLOSED);
            }
            await("the way in with a later one")
                    .atMost(PATIENCE)
                    .ignoreExceptions()
                    .until(() -> {
                        worker.connect().close();
                        return true;
                    });
            operator.close();
        }
    }

    private void servesItsOwnTasksAlone(TestNats nats) throws Exception {
        final PoolUser worker = worker(nats, ours);
        worker(nats, theirs);
        final AgentTask task =
                client.resource(Resources.task(ours, "task", "pool")).create();
        try (Connection connection = worker.connect();
                Connection admin = nats.connect()) {
            final Message message = worker.pull(connection);
            assertThat(TaskMessage.parse(message.getData()).taskId()).isEqualTo(task.uid());
            final String events = "events." + ours + ".pool." + task.uid();
            assertThat(answer(connection, events)).contains("\"stream\":\"EVENTS\"");
            assertThat(answer(connection, "$JS.API.DIRECT.GET.EVENTS." + events))
                    .isEmpty();
            assertThat(answer(connection, message.getReplyTo())).isEmpty();
            connection
                    .createDispatcher(asked -> connection.publish(asked.getReplyTo(), "me".getBytes()))
                    .subscribe("holder." + ours + ".pool.*");
            connection.flush(PATIENCE);
            final Subscription answers = admin.subscribe("answers." + ours + ".question");
            admin.publish("holder." + ours + ".pool.x", "answers." + ours + ".question", new byte[0]);
            assertThat(answers.nextMessage(PATIENCE)).isNotNull();
            for (final String subject : List.of(
                    "$JS.API.CONSUMER.MSG.NEXT.tasks_" + theirs + "_pool.workers",
                    "events." + theirs + ".pool.x",
                    "control." + theirs + ".pool.x",
                    "$JS.API.STREAM.DELETE.EVENTS")) {
                connection.publish(subject, new byte[0]);
                worker.awaitRefusal(subject);
            }
        }
    }

    private void anAnswerSentToTheApiDoesNothing(TestNats nats) throws Exception {
        try (Connection admin = nats.connect()) {
            final Optional<ZonedDateTime> made = logsMade(admin);
            sendAnAnswerToTheApi(nats);
            throughout(Duration.ofSeconds(1), () -> logsMade(admin).equals(made));
        }
    }

    /** The operator makes a stream that is missing anew. */
    private void anAnswerSentToTheApiDeletesAStream(TestNats nats) throws Exception {
        try (Connection admin = nats.connect()) {
            final Optional<ZonedDateTime> made = logsMade(admin);
            sendAnAnswerToTheApi(nats);
            await("the end of the stream").atMost(PATIENCE).until(() -> logsMade(admin), now -> !now.equals(made));
        }
    }

    /** By the neighbour, whose queue is empty: the answer has no body then, which is what this request of the API takes. */
    private void sendAnAnswerToTheApi(TestNats nats) throws Exception {
        try (Connection connection = new PoolUser(client, nats, theirs, "pool").connect()) {
            connection.publish(NatsMessage.builder()
                    .subject("$JS.API.CONSUMER.MSG.NEXT.tasks_" + theirs + "_pool.workers")
                    .replyTo("$JS.API.STREAM.DELETE.LOGS")
                    .data("{\"batch\":1,\"no_wait\":true}")
                    .build());
            connection.flush(PATIENCE);
        }
    }

    private static Optional<ZonedDateTime> logsMade(Connection admin) throws Exception {
        return admin.jetStreamManagement().getStreams().stream()
                .filter(stream -> stream.getConfiguration().getName().equals("LOGS"))
                .map(StreamInfo::getCreateTime)
                .findFirst();
    }

    private CodeforgeOperator started(TestNats nats, String credentialSeconds) throws IOException {
        Files.writeString(secret.resolve("url"), nats.endpoint().url());
        final OperatorSettings settings = OperatorSettings.from(Map.of(
                "CODEFORGE_NAMESPACE",
                ours,
                "CODEFORGE_NATS_DIR",
                secret.toString(),
                "CODEFORGE_NATS_USERS",
                "AccountSigningKey",
                "CODEFORGE_CREDENTIAL_SECONDS",
                credentialSeconds));
        final CodeforgeOperator operator = new CodeforgeOperator(
                TestSettings.of(ours, "test", Set.of(ours, theirs), settings.nats(), false), client);
        operator.start();
        return operator;
    }

    private void hand(String name, Handed account) throws IOException {
        Files.writeString(secret.resolve(name + ".jwt"), account.jwt());
        Files.writeString(secret.resolve(name + ".nk"), account.seed());
    }

    private PoolUser worker(TestNats nats, String namespace) {
        client.resource(Resources.pool(namespace, "pool", new WorkerPoolSpec.Scaling(0, 5, 2, null, null)))
                .create();
        return new PoolUser(client, nats, namespace, "pool");
    }

    private static String answer(Connection connection, String subject) throws InterruptedException {
        final Message message = connection.request(subject, new byte[0], PATIENCE);
        assertThat(message).as("an answer on " + subject).isNotNull();
        return new String(message.getData(), StandardCharsets.UTF_8);
    }

    private Condition awaitReason(String namespace, String reason) {
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
