package dev.codeforge.scenarios;

import static dev.codeforge.testing.Patience.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.testing.LiveClient;
import dev.codeforge.wire.TaskRef;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Server-sent events, and what a proxy needs. */
@Timeout(480)
final class LiveEventsIT {
    private LiveStage stage;

    @BeforeEach
    void start() throws Exception {
        stage = new LiveStage();
    }

    @AfterEach
    void stop() throws Exception {
        stage.close();
    }

    @Test
    void aStreamOfServerSentEventsIsContinuedByItsLastId() throws Exception {
        final TaskRef task = stage.running("task");
        stage.print(task, 1, 5);
        final String id;
        try (EventLines first = events("topics=log&task=task&afterLine=0", "")) {
            first.awaitData("\"seq\":5");
            id = first.id();
        }
        stage.print(task, 6, 9);
        try (EventLines again = events("topics=log&task=task", id)) {
            final String data = again.awaitData("\"seq\":9");
            assertThat(data).contains("\"seq\":6").doesNotContain("\"seq\":5");
        }
        assertThat(status("topics=log", stage.admin())).isEqualTo(400);
        assertThat(status("topics=events", "wrong")).isEqualTo(401);
        assertThat(status("topics=events", stage.viewerOfNothing())).isEqualTo(403);
    }

    @Test
    void behindAProxyItsPathsHaveThePrefixAndEventsAreNotHeldBack() throws Exception {
        stage.console().close();
        stage.startConsole(Map.of("CODEFORGE_CONSOLE_PATH_PREFIX", "/codeforge"));
        final URI server = URI.create("ws://127.0.0.1:" + stage.port() + "/codeforge/ws");
        try (LiveClient client = LiveClient.of(server, stage.admin()).subscribe("a", stage.namespace(), "")) {
            client.awaitMessage("synced");
        }
        final HttpResponse<InputStream> answer = HttpClient.newHttpClient()
                .send(
                        request("/codeforge/events", "topics=events", stage.admin(), ""),
                        HttpResponse.BodyHandlers.ofInputStream());
        try (InputStream body = answer.body()) {
            assertThat(answer.statusCode()).isEqualTo(200);
            assertThat(answer.headers().firstValue("X-Accel-Buffering")).contains("no");
            assertThat(answer.headers().firstValue("Cache-Control")).contains("no-store");
            assertThat(body.read()).isPositive();
        }
        assertThat(status("topics=events", stage.admin())).isEqualTo(404);
    }

    private HttpRequest request(String path, String query, String token, String lastEventId) {
        final HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(
                        "http://127.0.0.1:" + stage.port() + path + "?namespace=" + stage.namespace() + "&" + query))
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
                .send(request("/events", query, stage.admin(), lastEventId), HttpResponse.BodyHandlers.ofInputStream())
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
