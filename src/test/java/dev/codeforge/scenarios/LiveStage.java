package dev.codeforge.scenarios;

import static dev.codeforge.testing.Patience.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.Phase;
import dev.codeforge.console.Console;
import dev.codeforge.console.ConsoleSettings;
import dev.codeforge.operator.framework.OperatorClient;
import dev.codeforge.testing.ScriptedWorker;
import dev.codeforge.testing.ServiceAccountToken;
import dev.codeforge.wire.Subjects;
import dev.codeforge.wire.TaskEvent;
import dev.codeforge.wire.TaskRef;
import io.fabric8.kubernetes.api.model.ServiceAccountBuilder;
import io.fabric8.kubernetes.api.model.rbac.RoleBindingBuilder;
import io.fabric8.kubernetes.api.model.rbac.RoleBuilder;
import io.nats.client.Connection;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;

/** A console beside an operator, with the tasks, the lines and the callers that a test tells of. */
final class LiveStage implements AutoCloseable {
    private static final String ROLE = "viewer";
    private final Scene scene;
    private final ScriptedWorker worker;
    private final Connection nats;
    private Console console;
    private int port;

    LiveStage() throws Exception {
        scene = Scene.started("pool");
        worker = new ScriptedWorker(
                scene.installation().nats(), scene.installation().namespace(), "pool");
        nats = scene.installation().nats().connect();
        startConsole(Map.of());
    }

    Scene scene() {
        return scene;
    }

    ScriptedWorker worker() {
        return worker;
    }

    Console console() {
        return console;
    }

    int port() {
        return port;
    }

    /** @param more of its environment */
    void startConsole(Map<String, String> more) throws Exception {
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

    String namespace() {
        return scene.installation().namespace();
    }

    TaskRef running(String name) throws Exception {
        final String uid = scene.task(name, "pool", "echo", "");
        worker.take();
        worker.write(TaskEvent.Kind.RUNNING);
        scene.awaitPhase(name, Phase.Running);
        return new TaskRef(namespace(), "pool", uid);
    }

    void print(TaskRef task, int from, int to) throws Exception {
        for (int number = from; number <= to; number++) {
            print(task, number, "line " + number);
        }
    }

    void print(TaskRef task, int number, String text) throws Exception {
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

    String admin() {
        return scene.installation().apiServer().config().getOauthToken();
    }

    /** Of this namespace, but of no lines. */
    String viewer() {
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

    String viewerOfNothing() {
        final var client = scene.installation().client();
        client.resource(new ServiceAccountBuilder()
                        .withNewMetadata()
                        .withName(ROLE)
                        .withNamespace(namespace())
                        .endMetadata()
                        .build())
                .serverSideApply();
        return ServiceAccountToken.of(client, namespace(), ROLE);
    }

    void withdraw() {
        scene.installation()
                .client()
                .rbac()
                .roleBindings()
                .inNamespace(namespace())
                .withName(ROLE)
                .delete();
    }

    double metric(String name) throws Exception {
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

    @Override
    public void close() throws Exception {
        console.close();
        nats.close();
        worker.close();
        scene.close();
    }
}
