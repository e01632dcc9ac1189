package dev.codeforge.operator;

import static dev.codeforge.testing.Patience.PATIENCE;
import static dev.codeforge.testing.Patience.throughout;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.api.WorkerPoolSpec;
import dev.codeforge.identity.AccountPlanner;
import dev.codeforge.identity.Mint;
import dev.codeforge.identity.NamespaceIdentity;
import dev.codeforge.jetstream.Accounts;
import dev.codeforge.jetstream.NatsAccess;
import dev.codeforge.operator.secrets.NatsIdentity;
import dev.codeforge.testing.PoolUser;
import dev.codeforge.testing.Resources;
import dev.codeforge.testing.TestCluster;
import dev.codeforge.testing.TestNats;
import dev.codeforge.testing.TestSettings;
import dev.codeforge.wire.TaskMessage;
import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.nats.client.AuthenticationException;
import io.nats.client.Connection;
import io.nats.client.Message;
import io.nats.client.Subscription;
import io.nats.client.api.StreamConfiguration;
import io.nats.client.impl.NatsMessage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The whole operator with a NATS server that trusts its keys: what a pool's Secret opens, and what it does not. */
final class IdentityIT {

    private static KubernetesClient client;
    private static String system;
    private static TestNats nats;
    private static CodeforgeOperator operator;
    private String ours;
    private String theirs;

    @BeforeAll
    static void start() throws Exception {
        client = TestCluster.shared().client();
        system = TestCluster.shared().newNamespace();
        nats = TestNats.asShipped(client, system);
        operator = new CodeforgeOperator(TestSettings.of(system, "test", Set.of(), nats, false), client);
        operator.start();
    }

    @AfterAll
    static void stop() {
        operator.close();
        nats.close();
    }

    @BeforeEach
    void namespaces() throws IOException {
        ours = TestCluster.shared().newNamespace();
        theirs = TestCluster.shared().newNamespace();
    }

    @Test
    void aPoolsCredentialServesItsOwnTasks() throws Exception {
        final PoolUser worker = worker(ours, "pool");
        final AgentTask task = create(Resources.task(ours, "task", "pool"));
        await().atMost(PATIENCE).until(() -> phase(ours, "task") == Phase.Queued);
        try (Connection connection = worker.connect()) {
            final Message message = worker.pull(connection);
            assertThat(TaskMessage.parse(message.getData()).taskId()).isEqualTo(task.uid());
            assertThat(answer(connection, message.getReplyTo(), "+WPI")).isEmpty();
            final String events = "events." + ours + ".pool." + task.uid();
            assertThat(answer(connection, events, "{}")).contains("\"stream\":\"EVENTS\"");
            assertThat(answer(connection, "$JS.API.DIRECT.GET.EVENTS." + events, ""))
                    .isEqualTo("{}");
            // The operator's question reaches it, and its answer the operator.
            connection
                    .createDispatcher(asked -> connection.publish(asked.getReplyTo(), "me".getBytes()))
                    .subscribe("holder." + ours + ".pool.*");
            connection.flush(PATIENCE);
            try (Connection asking = nats.connect()) {
                final Subscription answers = asking.subscribe("answers." + ours + ".question");
                asking.publish("holder." + ours + ".pool.x", "answers." + ours + ".question", new byte[0]);
                assertThat(text(answers.nextMessage(PATIENCE))).isEqualTo("me");
            }
        }
    }

    @Test
    void aPoolsCredentialOpensNothingOfANeighbour() throws Exception {
        final PoolUser worker = worker(ours, "pool");
        worker(theirs, "pool");
        worker(ours, "sister");
        create(Resources.task(theirs, "task", "pool"));
        await().atMost(PATIENCE).until(() -> phase(theirs, "task") == Phase.Queued);
        try (Connection connection = worker.connect()) {
            for (final String pool : List.of(theirs + "_pool", ours + "_sister")) {
                final String dotted = pool.replace('_', '.');
                for (final String subject : List.of(
                        "$JS.API.CONSUMER.MSG.NEXT.tasks_" + pool + ".workers",
                        "events." + dotted + ".x",
                        "deadletters." + dotted,
                        "$JS.API.DIRECT.GET.EVENTS.events." + dotted + ".x",
                        "$O.files_" + pool + ".M.x",
                        "control." + dotted + ".x")) {
                    assertThat(connection.request(subject, new byte[0], Duration.ofMillis(300)))
                            .as(subject)
                            .isNull();
                    worker.awaitRefusal(subject);
                }
                connection.subscribe("holder." + dotted + ".*");
                worker.awaitRefusal("holder." + dotted + ".*");
            }
            for (final String subject :
                    List.of("$JS.API.STREAM.DELETE.EVENTS", "$SYS.REQ.SERVER.PING", "agents.run." + theirs + ".pool")) {
                connection.publish(subject, new byte[0]);
                worker.awaitRefusal(subject);
            }
        }
    }

    /** Within one account the server would take its own answer for a request. */
    @Test
    void anAnswerThatIsSentElsewhereReachesNoApi() throws Exception {
        final PoolUser worker = worker(ours, "pool");
        try (Connection connection = worker.connect();
                Connection admin = nats.connect()) {
            for (final String reply : List.of("$JS.API.STREAM.DELETE.LOGS", "tasks." + theirs + ".pool.x")) {
                connection.publish(NatsMessage.builder()
                        .subject("$JS.API.CONSUMER.MSG.NEXT.tasks_" + ours + "_pool.workers")
                        .replyTo(reply)
                        .data("{\"batch\":1,\"no_wait\":true}")
                        .build());
            }
            connection.flush(PATIENCE);
            throughout(
                    Duration.ofSeconds(1),
                    () -> admin.jetStreamManagement().getStreamNames().contains("LOGS"));
        }
    }

    @Test
    void aDeletedPoolsWorkersAreShutOutAndItsSistersStay() throws Exception {
        final PoolUser worker = worker(ours, "pool");
        final PoolUser sister = worker(ours, "sister");
        try (Connection gone = worker.connect();
                Connection stays = sister.connect()) {
            client.resources(WorkerPool.class)
                    .inNamespace(ours)
                    .withName("pool")
                    .delete();
            await().atMost(PATIENCE).until(() -> gone.getStatus() == Connection.Status.CLOSED);
            assertThat(answer(stays, "events." + ours + ".sister.x", "{}")).contains("EVENTS");
        }
        assertThatThrownBy(worker::connectAsAtFirst).isInstanceOf(AuthenticationException.class);
        await().atMost(PATIENCE)
                .until(() -> client.resources(WorkerPool.class)
                                .inNamespace(ours)
                                .withName("pool")
                                .get()
                        == null);
        final PoolUser namesake = worker(ours, "pool");
        try (Connection connection = namesake.connect()) {
            assertThat(answer(connection, "events." + ours + ".pool.x", "{}")).contains("EVENTS");
        }
        assertThatThrownBy(worker::connectAsAtFirst).isInstanceOf(AuthenticationException.class);
    }

    @Test
    void aNamespaceThatEndsTakesItsAccountAlong() throws Exception {
        final PoolUser worker = worker(ours, "pool");
        final Mint mint =
                NatsIdentity.readOrCreate(client, system, Clock.systemUTC()).mint();
        final String account = account(mint, ours);
        final Accounts accounts =
                new Accounts(NatsAccess.Minted.of(nats.endpoint().url(), () -> mint.system(Instant.now())));
        assertThat(accounts.find(account)).isPresent();
        try (Connection connection = worker.connect()) {
            client.namespaces().withName(ours).delete();
            client.resources(WorkerPool.class)
                    .inNamespace(ours)
                    .withName("pool")
                    .delete();
            await().atMost(PATIENCE).until(() -> connection.getStatus() == Connection.Status.CLOSED);
        }
        assertThatThrownBy(worker::connectAsAtFirst).isInstanceOf(AuthenticationException.class);
        await().atMost(PATIENCE).until(() -> accounts.find(account).isEmpty());
    }

    @Test
    void aNamespaceThatEndsAfterItsLastPoolTakesItsAccountAlong() throws Exception {
        final PoolUser worker = worker(ours, "pool");
        worker(theirs, "pool");
        final Mint mint =
                NatsIdentity.readOrCreate(client, system, Clock.systemUTC()).mint();
        final String account = account(mint, ours);
        final String neighbours = account(mint, theirs);
        final Accounts accounts =
                new Accounts(NatsAccess.Minted.of(nats.endpoint().url(), () -> mint.system(Instant.now())));
        worker.connect().close();
        client.resources(WorkerPool.class).inNamespace(ours).withName("pool").delete();
        await().atMost(PATIENCE)
                .until(() -> client.resources(WorkerPool.class)
                                .inNamespace(ours)
                                .withName("pool")
                                .get()
                        == null);
        assertThat(accounts.list()).contains(account, neighbours);
        // Without its controller the API server has it end when its finalizer is taken off.
        client.namespaces().withName(ours).delete();
        final Namespace ending = client.namespaces().withName(ours).require();
        ending.getSpec().getFinalizers().clear();
        client.raw("/api/v1/namespaces/" + ours + "/finalize", "PUT", ending);
        await().atMost(PATIENCE).until(() -> !accounts.list().contains(account));
        assertThat(accounts.list()).contains(neighbours);
    }

    private static String account(Mint mint, String namespace) {
        return new AccountPlanner(mint, Clock.systemUTC())
                .accountId(new NamespaceIdentity(
                        namespace,
                        client.namespaces()
                                .withName(namespace)
                                .require()
                                .getMetadata()
                                .getUid()));
    }

    @Test
    void usersForPeopleAreInASecretOfTheirOwn() throws Exception {
        final Secret users = client.secrets()
                .inNamespace(system)
                .withName(NatsIdentity.USERS_SECRET)
                .require();
        try (Connection admin = PoolUser.connect(
                nats, PoolUser.decoded(users, "admin.creds"), "_INBOX", new CopyOnWriteArrayList<>())) {
            assertThat(admin.jetStreamManagement().getStreamNames()).contains("EVENTS");
        }
        worker(ours, "pool");
        final List<String> errors = new CopyOnWriteArrayList<>();
        try (Connection asking =
                PoolUser.connect(nats, PoolUser.decoded(users, "client.creds"), "_INBOX_client", errors)) {
            assertThat(answer(asking, "agents.submit." + ours + ".pool", "{}")).contains("error");
            asking.publish("$JS.API.STREAM.NAMES", new byte[0]);
            await().atMost(PATIENCE)
                    .until(() -> errors.stream().anyMatch(error -> error.contains("$JS.API.STREAM.NAMES")));
        }
    }

    @Test
    void streamsOfAnInstallationWithPasswordsAreThereAfterwards() throws Exception {
        try (TestNats before = TestNats.withUsers()) {
            areThereAfterwards(before);
        }
    }

    @Test
    void streamsAreThereAfterTheKeysWereMadeAnew() throws Exception {
        try (TestNats before = TestNats.asShipped(client, TestCluster.shared().newNamespace())) {
            areThereAfterwards(before);
        }
    }

    private void areThereAfterwards(TestNats before) throws Exception {
        try (Connection connection = before.connect()) {
            connection
                    .jetStreamManagement()
                    .addStream(StreamConfiguration.builder()
                            .name("kept")
                            .subjects("kept.>")
                            .build());
            connection.jetStream().publish("kept.x", "still here".getBytes(StandardCharsets.US_ASCII));
        }
        before.kill();
        try (TestNats after = TestNats.notStarted(client, ours)) {
            Files.move(before.data(), after.data());
            assertThat(takeOver(after)).isZero();
            // The pod may be started again at any time.
            assertThat(takeOver(after)).isZero();
            after.start();
            try (Connection connection = after.connect()) {
                assertThat(connection
                                .jetStreamManagement()
                                .getLastMessage("kept", "kept.x")
                                .getData())
                        .asString()
                        .isEqualTo("still here");
            }
        }
    }

    private static int takeOver(TestNats nats) throws Exception {
        return new ProcessBuilder(
                        "sh",
                        "helm/codeforge-operator/files/take-over-streams.sh",
                        nats.data().toString(),
                        nats.configuration().toString())
                .inheritIO()
                .start()
                .waitFor();
    }

    /** A pool's worker; the pool is made. */
    private static PoolUser worker(String namespace, String pool) {
        create(Resources.pool(namespace, pool, new WorkerPoolSpec.Scaling(0, 5, 2, null, null)));
        return new PoolUser(client, nats, namespace, pool);
    }

    private static String answer(Connection connection, String subject, String body) throws InterruptedException {
        return text(connection.request(subject, body.getBytes(StandardCharsets.US_ASCII), PATIENCE));
    }

    private static String text(Message message) {
        assertThat(message).as("an answer").isNotNull();
        return new String(message.getData(), StandardCharsets.UTF_8);
    }

    private static <T extends io.fabric8.kubernetes.api.model.HasMetadata> T create(T resource) {
        resource.getMetadata().setUid(null);
        resource.getMetadata().setGeneration(null);
        return client.resource(resource).create();
    }

    private static Phase phase(String namespace, String task) {
        return client.resources(AgentTask.class)
                .inNamespace(namespace)
                .withName(task)
                .require()
                .observedStatus()
                .orElseGet(AgentTaskStatus::unobserved)
                .phase();
    }
}
