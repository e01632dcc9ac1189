package dev.codeforge.scenarios;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.codeforge.testing.LiveClient;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.net.http.WebSocketHandshakeException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Who may connect, how often, and which part of it each subscription gets. */
@Timeout(480)
final class LiveLimitsIT {
    private static final String ALLOWED = "https://console.example.com";
    private static final HttpClient HTTP = HttpClient.newHttpClient();
    private static LiveStage stage;

    @BeforeAll
    static void start() throws Exception {
        stage = new LiveStage();
        stage.console().close();
        stage.startConsole(Map.of(
                "CODEFORGE_CONSOLE_ORIGINS", ALLOWED,
                "CODEFORGE_CONSOLE_CONNECTIONS", "3",
                "CODEFORGE_CONSOLE_SUBSCRIPTIONS", "3"));
        stage.scene().pool("other", "");
    }

    @AfterAll
    static void stop() throws Exception {
        stage.close();
    }

    @Test
    void onlyPagesOfTheConsolesHostAndOfListedOriginsConnect() throws Exception {
        assertThat(eventsFrom("https://elsewhere.example.com", stage.admin())).isEqualTo(403);
        assertThat(eventsFrom("null", stage.admin())).isEqualTo(403);
        assertThat(eventsFrom("http://127.0.0.1:1", stage.admin())).isEqualTo(403);
        assertThat(eventsFrom(ALLOWED, stage.admin())).isEqualTo(200);
        assertThat(eventsFrom("http://127.0.0.1:" + stage.port(), stage.admin()))
                .isEqualTo(200);
        assertThatThrownBy(() -> socketFrom("https://elsewhere.example.com"))
                .isInstanceOf(CompletionException.class)
                .cause()
                .isInstanceOfSatisfying(WebSocketHandshakeException.class, refused -> assertThat(
                                refused.getResponse().statusCode())
                        .isEqualTo(403));
        socketFrom(ALLOWED).abort();
    }

    @Test
    void aCallerHasSoManyConnectionsAndSubscriptionsAndNoMore() throws Exception {
        final String token = stage.viewer();
        try (LiveClient first = LiveClient.of(stage.port(), token);
                LiveClient second = LiveClient.of(stage.port(), token);
                LiveClient third = LiveClient.of(stage.port(), token)) {
            for (final LiveClient client : List.of(first, second, third)) {
                client.awaitMessage("welcome");
            }
            try (LiveClient fourth = LiveClient.of(stage.port(), token)) {
                assertThat(fourth.awaitClosed()).isEqualTo(4429);
            }
            assertThat(eventsFrom(ALLOWED, token)).isEqualTo(429);
            for (final String id : List.of("a", "b", "c", "d")) {
                first.subscribe(id, stage.namespace(), "");
            }
            assertThat(first.awaitMessage("error", error -> of(error, "d"))
                            .path("reason")
                            .asText())
                    .isEqualTo("TooMany");
            first.say("{\"type\":\"unsubscribe\",\"id\":\"a\"}").subscribe("e", stage.namespace(), "");
            first.awaitMessage("synced", synced -> of(synced, "e"));
        }
    }

    @Test
    void aSubscriptionGetsItsPoolItsLabelsOrItsTaskAloneAndNothingOnceItIsDropped() throws Exception {
        try (LiveClient client = LiveClient.of(stage.port(), stage.admin())) {
            client.subscribe("pool", stage.namespace(), "\"pool\":\"other\"");
            client.subscribe("labels", stage.namespace(), "\"labels\":\"team=a\"");
            client.subscribe("task", stage.namespace(), "\"task\":\"third\"");
            for (final String id : List.of("pool", "labels", "task")) {
                client.awaitMessage("synced", synced -> of(synced, id));
            }
            create("first", "pool", "a");
            create("second", "other", "b");
            create("third", "other", "a");
            client.awaitMessage("task", task -> of(task, "pool") && name(task).equals("third"));
            client.awaitMessage("task", task -> of(task, "labels") && name(task).equals("third"));
            client.awaitMessage("task", task -> of(task, "task") && name(task).equals("third"));
            assertThat(names(client, "pool")).containsOnly("second", "third");
            assertThat(names(client, "labels")).containsOnly("first", "third");
            assertThat(names(client, "task")).containsOnly("third");
            client.say("{\"type\":\"unsubscribe\",\"id\":\"pool\"}").say("{\"type\":\"ping\"}");
            client.awaitMessage("pong");
            create("fourth", "other", "a");
            client.awaitMessage("task", task -> of(task, "labels") && name(task).equals("fourth"));
            assertThat(names(client, "pool")).doesNotContain("fourth");
        }
    }

    private static void create(String name, String pool, String team) {
        stage.scene()
                .installation()
                .create(
                        """
                        apiVersion: codeforge.dev/v1alpha1
                        kind: AgentTask
                        metadata: {name: %s, labels: {team: %s}}
                        spec: {workerPoolRef: {name: %s}, prompt: say hello}
                        """
                                .formatted(name, team, pool));
    }

    private static boolean of(JsonNode message, String subscription) {
        return message.path("subscription").asText().equals(subscription);
    }

    private static String name(JsonNode message) {
        return message.path("object").path("metadata").path("name").asText();
    }

    private static List<String> names(LiveClient client, String subscription) {
        return client.of("task").stream()
                .filter(message -> of(message, subscription))
                .map(LiveLimitsIT::name)
                .toList();
    }

    private static int eventsFrom(String origin, String token) throws Exception {
        final HttpResponse<InputStream> answer = HTTP.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + stage.port() + "/events?namespace="
                                + stage.namespace() + "&topics=tasks"))
                        .header("Accept", "text/event-stream")
                        .header("Authorization", "Bearer " + token)
                        .header("Origin", origin)
                        .build(),
                HttpResponse.BodyHandlers.ofInputStream());
        answer.body().close();
        return answer.statusCode();
    }

    private static WebSocket socketFrom(String origin) {
        return HTTP.newWebSocketBuilder()
                .header("Origin", origin)
                .buildAsync(URI.create("ws://127.0.0.1:" + stage.port() + "/ws"), new WebSocket.Listener() {})
                .join();
    }
}
