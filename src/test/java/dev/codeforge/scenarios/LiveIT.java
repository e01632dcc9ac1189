package dev.codeforge.scenarios;

import static dev.codeforge.scenarios.Scene.eventually;
import static dev.codeforge.testing.Patience.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.codeforge.api.Phase;
import dev.codeforge.console.Console;
import dev.codeforge.console.ConsoleSettings;
import dev.codeforge.operator.runtime.OperatorClient;
import dev.codeforge.testing.LiveClient;
import dev.codeforge.testing.ScriptedWorker;
import dev.codeforge.wire.Subjects;
import dev.codeforge.wire.TaskEvent;
import dev.codeforge.wire.TaskRef;
import io.fabric8.kubernetes.api.model.ServiceAccountBuilder;
import io.fabric8.kubernetes.api.model.authentication.TokenRequestBuilder;
import io.fabric8.kubernetes.api.model.rbac.RoleBindingBuilder;
import io.fabric8.kubernetes.api.model.rbac.RoleBuilder;
import io.nats.client.Connection;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What reaches those who watch, with a real API server, NATS and operator. */
@Timeout(480)
final class LiveIT {
    private static final String ROLE = "viewer";
    private Scene scene;
    private ScriptedWorker worker;
    private Connection nats;
    private Console console;
    private int port;

    @BeforeEach
    void start() throws Exception {
        scene = Scene.started("pool");
        worker = new ScriptedWorker(
                scene.installation().nats(), scene.installation().namespace(), "pool");
        nats = scene.installation().nats().connect();
        startConsole(Map.of());
    }

    @AfterEach
    void stop() throws Exception {
        console.close();
        nats.close();
        worker.close();
        scene.close();
    }

    private void startConsole(Map<String, String> more) throws Exception {
        final var endpoint = scene.installation().nats().consoleEndpoint();
        final Map<String, String> environment = new HashMap<>(Map.of(
                "NATS_URL",
                endpoint.url(),
                "NATS_USER",
                endpoint.username(),
                "NATS_PASSWORD",
                endpoint.password(),
                "CODEFORGE_WATCH_NAMESPACES",
                namespace(),
                "CODEFORGE_CONSOLE_PORT",
                "0",
                "CODEFORGE_HTTP_PORT",
                "0",
                "CODEFORGE_CONSOLE_REVIEW_SECONDS",
                "1"));
        environment.putAll(more);
        console = new Console(
                ConsoleSettings.from(environment),
                OperatorClient.of(scene.installation().apiServer().config()));
        port = console.start();
    }

    @Test
    void aClientGetsWhatIsThereAndThenWhatChanges() throws Exception {
        scene.task("task", "pool", "echo", "");
        scene.awaitPhase("task", Phase.Queued);
        try (LiveClient client = LiveClient.of(port, admin()).subscribe("a", namespace(), "")) {
            assertThat(client.awaitMessage("welcome").path("user").asText()).isEqualTo("admin");
            client.awaitMessage("synced");
            assertThat(client.of("pool")).hasSize(1);
            assertThat(client.of("task")).singleElement().satisfies(message -> {
                assertThat(message.path("change").asText()).isEqualTo("Present");
                assertThat(phase(message)).isEqualTo("Queued");
            });
            worker.take();
            worker.write(TaskEvent.Kind.RUNNING);
            client.awaitMessage("event", message -> kind(message).equals("running"));
            client.awaitMessage("task", message -> phase(message).equals("Running"));
            worker.write(TaskEvent.Kind.COMPLETED);
            client.awaitMessage("event", message -> kind(message).equals("completed"));
            client.awaitMessage("task", message -> phase(message).equals("Succeeded"));
            scene.taskResource("task").delete();
            client.awaitMessage(
                    "task", message -> message.path("change").asText().equals("Deleted"));
            assertThat(client.sequences("event")).doesNotHaveDuplicates().isSorted();
        }
    }

    @Test
    void aClientThatComesBackGetsWhatItMissedOnce() throws Exception {
        final TaskRef task = running("task");
        print(task, 1, 40);
        final long seen;
        try (LiveClient first = log(LiveClient.of(port, admin()), "\"afterLine\":0")) {
            first.awaitMessage("synced");
            assertThat(numbers(first)).containsExactlyElementsOf(range(1, 40));
            print(task, 41, 60);
            first.awaitMessage("log", message -> number(message) == 60);
            seen = first.sequences("log").getLast();
        }
        print(task, 61, 1_500);
        try (LiveClient again = log(LiveClient.of(port, admin()), "\"afterLine\":" + seen)) {
            print(task, 1_501, 1_600);
            again.awaitMessage("log", message -> number(message) == 1_600);
            assertThat(numbers(again)).containsExactlyElementsOf(range(61, 1_600));
        }
        try (LiveClient late = log(LiveClient.of(port, admin()), "\"afterLine\":999999")) {
            assertThat(late.awaitMessage("error").path("reason").asText()).isEqualTo("TooOld");
        }
    }

    @Test
    void nothingIsMissedWhileNatsIsAwayOrTheConsoleIsStartedAgain() throws Exception {
        final TaskRef task = running("task");
        try (LiveClient client = log(LiveClient.of(port, admin()), "\"afterLine\":0")) {
            client.awaitMessage("synced");
            print(task, 1, 10);
            client.awaitMessage("log", message -> number(message) == 10);
            scene.installation().nats().kill();
            scene.installation().nats().start();
            print(task, 11, 30);
            client.awaitMessage("log", message -> number(message) == 30);
            assertThat(numbers(client)).containsExactlyElementsOf(range(1, 30));
            console.close();
            assertThat(client.awaitClosed()).isEqualTo(1001);
            print(task, 31, 50);
            startConsole(Map.of());
            final long seen = client.sequences("log").getLast();
            try (LiveClient again = log(LiveClient.of(port, admin()), "\"afterLine\":" + seen)) {
                again.awaitMessage("synced");
                assertThat(numbers(again)).containsExactlyElementsOf(range(31, 50));
            }
        }
    }

    @Test
    void aClientThatDoesNotReadIsDroppedHarmsNobodyAndComesBackWithoutAGap() throws Exception {
        final TaskRef task = running("task");
        try (LiveClient reads = log(LiveClient.of(port, admin()), "\"afterLine\":0");
                LiveClient deaf = log(LiveClient.deaf(port, admin()), "\"afterLine\":0")) {
            reads.awaitMessage("synced");
            final String wide = "x".repeat(4_000);
            for (int line = 1; line <= 3_000; line++) {
                print(task, line, wide);
                if (line % 100 == 0) {
                    // Less than a queue holds waits for the one that reads.
                    final int last = line;
                    reads.awaitMessage("log", message -> number(message) == last);
                }
            }
            assertThat(numbers(reads)).containsExactlyElementsOf(range(1, 3_000));
            eventually(() -> metric("codeforge_live_dropped_clients_total") == 1);
            assertThat(deaf.messages()).isEmpty();
            try (LiveClient again = log(LiveClient.of(port, admin()), "\"afterLine\":0")) {
                again.awaitMessage("synced");
                assertThat(numbers(again)).containsExactlyElementsOf(range(1, 3_000));
            }
        }
    }

    @Test
    void aCallerSeesWhatHeMaySeeAndNoLonger() throws Exception {
        final TaskRef task = running("task");
        final String token = viewer();
        try (LiveClient nobody = new LiveClient(port).say("{\"type\":\"ping\"}")) {
            assertThat(nobody.awaitClosed()).isEqualTo(4401);
        }
        try (LiveClient wrong = LiveClient.of(port, "wrong")) {
            assertThat(wrong.awaitClosed()).isEqualTo(4401);
        }
        try (LiveClient client = LiveClient.of(port, token)) {
            client.subscribe("a", namespace(), "");
            client.awaitMessage("synced");
            log(client, "");
            assertThat(client.awaitMessage("error", message -> ofSubscription(message, "log"))
                            .path("reason")
                            .asText())
                    .isEqualTo("Forbidden");
            client.subscribe("elsewhere", "default", "");
            client.awaitMessage("error", message -> ofSubscription(message, "elsewhere"));
            scene.installation()
                    .client()
                    .rbac()
                    .roleBindings()
                    .inNamespace(namespace())
                    .withName(ROLE)
                    .delete();
            assertThat(client.awaitMessage("error", message -> ofSubscription(message, "a"))
                            .path("reason")
                            .asText())
                    .isEqualTo("Forbidden");
            final int before = client.of("event").size();
            worker.write(TaskEvent.Kind.COMPLETED);
            scene.awaitPhase("task", Phase.Succeeded);
            client.say("{\"type\":\"ping\"}");
            client.awaitMessage("pong");
            assertThat(client.of("event")).hasSize(before);
        }
        assertThat(task.pool()).isEqualTo("pool");
    }

    @Test
    void aStreamOfServerSentEventsIsContinuedByItsLastId() throws Exception {
        final TaskRef task = running("task");
        print(task, 1, 5);
        final String id;
        try (EventLines first = events("topics=log&task=task&afterLine=0", "")) {
            first.awaitData("\"seq\":5");
            id = first.id();
        }
        print(task, 6, 9);
        try (EventLines again = events("topics=log&task=task", id)) {
            final String data = again.awaitData("\"seq\":9");
            assertThat(data).contains("\"seq\":6").doesNotContain("\"seq\":5");
        }
        assertThat(status("topics=log", admin())).isEqualTo(400);
        assertThat(status("topics=events", "wrong")).isEqualTo(401);
        assertThat(status("topics=events", viewerOfNothing())).isEqualTo(403);
    }

    @Test
    void behindAProxyItsPathsHaveThePrefixAndEventsAreNotHeldBack() throws Exception {
        console.close();
        startConsole(Map.of("CODEFORGE_CONSOLE_PATH_PREFIX", "/codeforge"));
        final URI server = URI.create("ws://127.0.0.1:" + port + "/codeforge/ws");
        try (LiveClient client = LiveClient.of(server, admin()).subscribe("a", namespace(), "")) {
            client.awaitMessage("synced");
        }
        final HttpResponse<InputStream> answer = HttpClient.newHttpClient()
                .send(
                        request("/codeforge/events", "topics=events", admin(), ""),
                        HttpResponse.BodyHandlers.ofInputStream());
        try (InputStream body = answer.body()) {
            assertThat(answer.statusCode()).isEqualTo(200);
            assertThat(answer.headers().firstValue("X-Accel-Buffering")).contains("no");
            assertThat(answer.headers().firstValue("Cache-Control")).contains("no-store");
            assertThat(body.read()).isPositive();
        }
        assertThat(status("topics=events", admin())).isEqualTo(404);
    }

    // ---- the task and its lines

    private String namespace() {
        return scene.installation().namespace();
    }

    private TaskRef running(String name) throws Exception {
        final String uid = scene.task(name, "pool", "echo", "");
        worker.take();
        worker.write(TaskEvent.Kind.RUNNING);
        scene.awaitPhase(name, Phase.Running);
        return new TaskRef(namespace(), "pool", uid);
    }

    private void print(TaskRef task, int from, int to) throws Exception {
        for (int number = from; number <= to; number++) {
            print(task, number, "line " + number);
        }
    }

    private void print(TaskRef task, int number, String text) throws Exception {
        final byte[] line = ("{\"task_id\":\"" + task.id() + "\",\"line\":\"" + text
                        + "\",\"stream\":\"stdout\",\"attempt\":1,\"delivery\":1,\"seq\":" + number
                        + ",\"time\":\"2026-05-04T10:01:05.002Z\"}")
                .getBytes(StandardCharsets.UTF_8);
        final Instant end = Instant.now().plus(PATIENCE);
        while (true) {
            try {
                nats.jetStream().publish(Subjects.lines(task), line);
                return;
            } catch (IOException | IllegalStateException e) {
                // NATS is away.
                assertThat(Instant.now()).isBefore(end);
                Thread.sleep(50);
            }
        }
    }

    private LiveClient log(LiveClient client, String more) {
        return client.subscribe(
                "log", namespace(), "\"task\":\"task\",\"topics\":[\"log\"]" + (more.isEmpty() ? "" : "," + more));
    }

    private static List<Long> numbers(LiveClient client) {
        return client.of("log").stream().map(LiveIT::number).toList();
    }

    private static long number(JsonNode message) {
        return message.path("line").path("seq").asLong();
    }

    private static List<Long> range(long from, long to) {
        return LongStream.rangeClosed(from, to).boxed().toList();
    }

    private static String phase(JsonNode message) {
        return message.path("object").path("status").path("phase").asText();
    }

    private static String kind(JsonNode message) {
        return message.path("event").path("event").asText();
    }

    private static boolean ofSubscription(JsonNode message, String id) {
        return message.path("subscription").asText().equals(id);
    }

    // ---- callers

    private String admin() {
        return scene.installation().apiServer().config().getOauthToken();
    }

    private String viewer() {
        final var client = scene.installation().client();
        client.resource(new RoleBuilder()
                        .withNewMetadata()
                        .withName(ROLE)
                        .withNamespace(namespace())
                        .endMetadata()
                        .addNewRule()
                        .withApiGroups("codeforge.dev")
                        .withResources("agenttasks", "workerpools")
                        .withVerbs("get", "list", "watch")
                        .endRule()
                        .build())
                .create();
        final String token = viewerOfNothing();
        client.resource(new RoleBindingBuilder()
                        .withNewMetadata()
                        .withName(ROLE)
                        .withNamespace(namespace())
                        .endMetadata()
                        .withNewRoleRef("rbac.authorization.k8s.io", "Role", ROLE)
                        .addNewSubject(null, "ServiceAccount", ROLE, namespace())
                        .build())
                .create();
        return token;
    }

    private String viewerOfNothing() {
        final var client = scene.installation().client();
        client.resource(new ServiceAccountBuilder()
                        .withNewMetadata()
                        .withName(ROLE)
                        .withNamespace(namespace())
                        .endMetadata()
                        .build())
                .serverSideApply();
        return client.serviceAccounts()
                .inNamespace(namespace())
                .withName(ROLE)
                .tokenRequest(new TokenRequestBuilder()
                        .withNewSpec()
                        .withExpirationSeconds(3_600L)
                        .endSpec()
                        .build())
                .getStatus()
                .getToken();
    }

    // ---- HTTP

    private double metric(String name) throws Exception {
        final HttpResponse<String> answer = HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + console.healthPort() + "/metrics"))
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
        return answer.body()
                .lines()
                .filter(line -> line.startsWith(name + " "))
                .mapToDouble(line -> Double.parseDouble(line.substring(name.length() + 1)))
                .findFirst()
                .orElse(-1);
    }

    private HttpRequest request(String path, String query, String token, String lastEventId) {
        final HttpRequest.Builder request = HttpRequest.newBuilder(
                        URI.create("http://127.0.0.1:" + port + path + "?namespace=" + namespace() + "&" + query))
                .header("Authorization", "Bearer " + token)
                .header("Accept", "text/event-stream");
        if (!lastEventId.isEmpty()) {
            request.header("Last-Event-ID", lastEventId);
        }
        return request.build();
    }

    private int status(String query, String token) throws Exception {
        return HttpClient.newHttpClient()
                .send(request("/events", query, token, ""), HttpResponse.BodyHandlers.ofString())
                .statusCode();
    }

    private EventLines events(String query, String lastEventId) throws Exception {
        return new EventLines(HttpClient.newHttpClient()
                .send(request("/events", query, admin(), lastEventId), HttpResponse.BodyHandlers.ofInputStream())
                .body());
    }

    /** What a stream has said. */
    private static final class EventLines implements AutoCloseable {
        private final InputStream in;
        private final StringBuffer said = new StringBuffer();

        EventLines(InputStream in) {
            this.in = in;
            Thread.ofVirtual().start(() -> {
                try (var reader = new java.io.BufferedReader(new java.io.InputStreamReader(in))) {
                    for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                        said.append(line).append('\n');
                    }
                } catch (IOException e) {
                    said.append("ended\n");
                }
            });
        }

        String awaitData(String part) {
            return org.awaitility.Awaitility.await()
                    .atMost(PATIENCE)
                    .until(said::toString, text -> text.contains(part) && text.endsWith("\n\n"));
        }

        String id() {
            return said.toString()
                    .lines()
                    .filter(line -> line.startsWith("id: "))
                    .reduce((first, second) -> second)
                    .orElseThrow()
                    .substring(4);
        }

        @Override
        public void close() throws Exception {
            in.close();
        }
    }
}
