package dev.codeforge.operator;

import static dev.codeforge.testing.Patience.PATIENCE;
import static dev.codeforge.testing.Patience.throughout;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.codeforge.operator.secrets.NatsIdentity;
import dev.codeforge.operator.settings.NatsSettings;
import dev.codeforge.operator.settings.OperatorSettings;
import dev.codeforge.testing.ForeignOperator;
import dev.codeforge.testing.PoolUser;
import dev.codeforge.testing.TestCluster;
import dev.codeforge.testing.TestNats;
import dev.codeforge.testing.TestSettings;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.nats.client.Connection;
import io.nats.client.JetStreamManagement;
import io.nats.client.Message;
import io.nats.client.Nats;
import io.nats.client.Options;
import io.nats.client.Subscription;
import io.nats.client.impl.NatsMessage;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The console's user in NATS, in each of the servers where it is made: it follows every task, and changes nothing. */
final class ViewersIT {
    private static final String INBOX = "_INBOX_console";
    private static final String RESULTS = "$JS.API.DIRECT.GET.RESULTS";
    private static final String LOGS = "$JS.API.DIRECT.GET.LOGS";

    /** Whose server it is. */
    enum Server {
        THE_CHARTS,
        WITH_THE_SIGNING_KEY_OF_ITS_OPERATOR,
        WITH_PASSWORDS
    }

    @TempDir
    private Path secret;

    private final List<String> errors = new CopyOnWriteArrayList<>();
    private KubernetesClient client;
    private String system;
    private TestNats nats;
    private CodeforgeOperator operator;
    private Connection admin;
    private Connection console;

    @BeforeEach
    void namespace() throws Exception {
        client = TestCluster.shared().client();
        system = TestCluster.shared().newNamespace();
    }

    private void start(Server server) throws Exception {
        final NatsSettings settings =
                switch (server) {
                    case THE_CHARTS -> {
                        nats = TestNats.asShipped(client, system);
                        yield nats.settings();
                    }
                    case WITH_THE_SIGNING_KEY_OF_ITS_OPERATOR -> {
                        final ForeignOperator owner = new ForeignOperator();
                        nats = TestNats.takingAccounts(owner);
                        yield withSigningKey(owner);
                    }
                    case WITH_PASSWORDS -> {
                        nats = TestNats.withUsers();
                        yield new NatsSettings.Given(nats.endpoint(), nats.workerEndpoint(), true);
                    }
                };
        operator = new CodeforgeOperator(TestSettings.of(system, "test", Set.of(system), settings, false), client);
        operator.start();
        await("the operator in NATS").atMost(PATIENCE).ignoreExceptions().until(() -> {
            admin = admin(server);
            return true;
        });
        final JetStreamManagement streams = admin.jetStreamManagement();
        await("the streams").atMost(PATIENCE).until(() -> streams.getStreamNames()
                .containsAll(List.of("EVENTS", "RESULTS", "LOGS")));
        console = PoolUser.connect(
                nats,
                server == Server.WITH_PASSWORDS
                        ? options -> options.userInfo(
                                nats.consoleEndpoint().username(),
                                nats.consoleEndpoint().password())
                        : signedIn("console.creds"),
                INBOX,
                errors);
    }

    private NatsSettings withSigningKey(ForeignOperator owner) throws Exception {
        Files.writeString(secret.resolve("url"), nats.endpoint().url());
        Files.writeString(secret.resolve("system.creds"), owner.systemUser("codeforge"));
        Files.writeString(secret.resolve("operator-signing-key.nk"), owner.signingSeed());
        return OperatorSettings.from(Map.of(
                        "CODEFORGE_NAMESPACE",
                        system,
                        "CODEFORGE_NATS_DIR",
                        secret.toString(),
                        "CODEFORGE_NATS_USERS",
                        "OperatorSigningKey"))
                .nats();
    }

    private Connection admin(Server server) throws Exception {
        return server == Server.WITH_PASSWORDS
                ? nats.connect()
                : PoolUser.connect(nats, signedIn("admin.creds"), "_INBOX", new CopyOnWriteArrayList<>());
    }

    private Consumer<Options.Builder> signedIn(String key) {
        final String credential = PoolUser.decoded(
                client.secrets()
                        .inNamespace(system)
                        .withName(NatsIdentity.USERS_SECRET)
                        .require(),
                key);
        return options -> options.authHandler(Nats.staticCredentials(credential.getBytes(StandardCharsets.US_ASCII)));
    }

    @AfterEach
    void stop() throws Exception {
        for (final AutoCloseable started : new AutoCloseable[] {console, admin, operator, nats}) {
            if (started != null) {
                started.close();
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Server.class)
    void eventsAndLinesOfAllTasksAreHeardAndReadSeveralAtOnce(Server server) throws Exception {
        start(server);
        final Subscription events = console.subscribe("results.*");
        final Subscription lines = console.subscribe("results.*.log");
        final Subscription one = console.subscribe("results.two");
        console.flush(PATIENCE);
        for (final String task : List.of("one", "two")) {
            for (int number = 1; number <= 2; number++) {
                admin.jetStream().publish("events.team-" + task + ".pool." + task, bytes("{}"));
                admin.jetStream().publish("logs.team-" + task + ".pool." + task, bytes("{}"));
            }
        }
        assertThat(List.of(subject(events), subject(events), subject(events), subject(events)))
                .containsExactly("results.one", "results.one", "results.two", "results.two");
        assertThat(List.of(subject(lines), subject(lines), subject(lines), subject(lines)))
                .containsExactly("results.one.log", "results.one.log", "results.two.log", "results.two.log");
        assertThat(one.nextMessage(PATIENCE).getHeaders().getFirst("Nats-Sequence"))
                .isEqualTo("3");
        assertThat(read(RESULTS, "{\"seq\":1,\"next_by_subj\":\"results.*\",\"batch\":10}"))
                .containsExactly("1 results.one", "2 results.one", "3 results.two", "4 results.two");
        assertThat(read(LOGS, "{\"seq\":2,\"next_by_subj\":\"logs.*.*.*\",\"batch\":2}"))
                .containsExactly("2 logs.team-one.pool.one", "3 logs.team-two.pool.two");
    }

    @ParameterizedTest
    @EnumSource(Server.class)
    void nothingElseIsHeardOrAsked(Server server) throws Exception {
        start(server);
        for (final String subject :
                List.of(">", "results.*.*", "events.>", "logs.>", "control.>", "$JS.>", "$KV.>", "_INBOX.>")) {
            console.subscribe(subject);
            awaitRefusal("Subscription", subject);
        }
        for (final String subject : List.of(
                "$JS.API.STREAM.NAMES",
                "$JS.API.STREAM.INFO.RESULTS",
                "$JS.API.STREAM.MSG.GET.RESULTS",
                "$JS.API.STREAM.DELETE.EVENTS",
                "$JS.API.CONSUMER.CREATE.RESULTS",
                "$JS.API.DIRECT.GET.EVENTS",
                "$JS.API.DIRECT.GET.DEADLETTERS",
                "$JS.API.DIRECT.GET.KV_ledger",
                RESULTS + ".results.one",
                "results.one",
                "results.one.log",
                "events.team.pool.one",
                "control.team.pool.one",
                "agents.run.team.pool")) {
            console.publish(subject, bytes("{}"));
            awaitRefusal("Publish", subject);
        }
    }

    /** Within one account the server would take its own answer for a request. */
    @ParameterizedTest
    @EnumSource(Server.class)
    void anAnswerThatIsSentElsewhereDoesNothing(Server server) throws Exception {
        start(server);
        admin.jetStream().publish("events.team.pool.one", bytes("{}"));
        admin.jetStream().publish("logs.team.pool.one", bytes("{}"));
        await("the copy")
                .atMost(PATIENCE)
                .until(() -> read(RESULTS, "{\"seq\":1,\"next_by_subj\":\"results.*\",\"batch\":10}")
                                .size()
                        == 1);
        for (final String request : List.of(RESULTS, LOGS)) {
            for (final String reply : List.of(
                    "$JS.API.STREAM.DELETE.EVENTS",
                    "$JS.API.STREAM.PURGE.LOGS",
                    "$JS.API.STREAM.DELETE.RESULTS",
                    "events.team.pool.two",
                    "logs.team.pool.two",
                    "$KV.config.team.pool",
                    "deadletters.team.pool")) {
                console.publish(NatsMessage.builder()
                        .subject(request)
                        .replyTo(reply)
                        .data("{\"seq\":1,\"next_by_subj\":\">\",\"batch\":10}")
                        .build());
            }
        }
        // What is asked later is answered later.
        assertThat(read(LOGS, "{\"seq\":1,\"next_by_subj\":\">\",\"batch\":10}"))
                .hasSize(1);
        final JetStreamManagement streams = admin.jetStreamManagement();
        throughout(Duration.ofSeconds(1), () -> {
            for (final String stream : List.of("EVENTS", "RESULTS", "LOGS")) {
                if (streams.getStreamInfo(stream).getStreamState().getMsgCount() != 1) {
                    return false;
                }
            }
            for (final String stream : List.of("DEADLETTERS", "KV_config")) {
                if (streams.getStreamInfo(stream).getStreamState().getMsgCount() != 0) {
                    return false;
                }
            }
            return true;
        });
    }

    /** Sequence and subject of each message that answers, until the server says that it was the last one. */
    private List<String> read(String subject, String request) throws InterruptedException {
        // An inbox of its own: what the server keeps of the request goes with it.
        final String inbox = console.createInbox();
        final Subscription answers = console.subscribe(inbox);
        console.publish(subject, inbox, bytes(request));
        final List<String> read = new ArrayList<>();
        while (true) {
            final Message answer = Objects.requireNonNull(answers.nextMessage(PATIENCE), "no answer");
            if (answer.isStatusMessage()) {
                answers.unsubscribe();
                return read;
            }
            read.add(answer.getHeaders().getFirst("Nats-Sequence") + " "
                    + answer.getHeaders().getFirst("Nats-Subject"));
        }
    }

    private void awaitRefusal(String violation, String subject) {
        await(subject).atMost(PATIENCE).untilAsserted(() -> assertThat(errors)
                .anyMatch(error -> error.startsWith("Permissions Violation for " + violation)
                        && error.contains("\"" + subject + "\"")));
    }

    private static String subject(Subscription heard) throws InterruptedException {
        return Objects.requireNonNull(heard.nextMessage(PATIENCE), "nothing was heard")
                .getSubject();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
