package dev.codeforge.scenarios;

import static dev.codeforge.testing.Patience.throughout;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import dev.codeforge.testing.Collector;
import dev.codeforge.wire.TraceIds;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** One trace from the resource's creation to its status: the operator as shipped, the real worker, one receiver. */
final class TracingIT {
    private Collector collector;
    private HttpServer model;
    private Scene scene;

    @BeforeEach
    void start() throws Exception {
        collector = new Collector();
        model = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        model.createContext("/v1/chat/completions", TracingIT::answer);
        model.start();
        scene = Scene.startedWith(exporting());
        scene.pool("pool", "");
    }

    private Map<String, String> exporting() {
        return Map.of("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url(), "OTEL_BSP_SCHEDULE_DELAY", "500");
    }

    private static void answer(HttpExchange exchange) throws IOException {
        exchange.getResponseHeaders().add("x-litellm-response-cost", "0.0125");
        exchange.getResponseHeaders().add("Content-Type", "application/json");
        final byte[] body =
                "{\"usage\": {\"prompt_tokens\": 100, \"completion_tokens\": 20}}".getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(200, body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }

    @AfterEach
    void stop() throws Exception {
        scene.close();
        model.stop(0);
        collector.close();
    }

    /** Fails the first time; then asks its model twice. */
    private static final String SCRIPT =
            """
            [ "$CODEFORGE_ATTEMPT" = 2 ] || exit 3
            cat >ask.py <<'END'
            import os, urllib.request
            url = os.environ["OPENAI_API_BASE"] + "/chat/completions"
            key = {"Authorization": "Bearer " + os.environ["OPENAI_API_KEY"]}
            urllib.request.urlopen(urllib.request.Request(url, b'{"model": "coder"}', key)).read()
            END
            python3 ask.py && python3 ask.py && echo $TRACEPARENT
            """;

    @Test
    void aTaskThatIsTriedAgainIsOneTraceOfOperatorAndWorker() throws Exception {
        final Map<String, String> settings = new HashMap<>(exporting());
        settings.put("OPENAI_API_BASE", "http://127.0.0.1:" + model.getAddress().getPort() + "/v1");
        settings.put("OPENAI_API_KEY", "the-pools-own-key");
        scene.worker("worker", "pool", 1, settings);
        final String uid = scene.task("task", "pool", SCRIPT, "retry: {maxAttempts: 2, backoffSeconds: 0}");
        final AgentTaskStatus status = scene.awaitPhase("task", Phase.Succeeded);
        final String trace = TraceIds.trace(uid);
        Scene.eventually(() -> names(trace).containsAll(Set.of("AgentTask", "run 1.1", "run 2.1", "publish 2")));

        assertThat(names(trace))
                .as(collector.tree(trace))
                .containsExactlyInAnyOrder(
                        "AgentTask",
                        "publish 1",
                        "run 1.1",
                        "agent",
                        "publish 2",
                        "run 2.1",
                        "agent",
                        "chat coder",
                        "chat coder",
                        "status write");
        final Map<String, Collector.Seen> byId =
                spans(trace).stream().collect(Collectors.toMap(Collector.Seen::id, span -> span));
        final Collector.Seen root = byId.get(TraceIds.task(uid));
        assertThat(root.parent()).isEmpty();
        assertThat(spans(trace)).filteredOn(span -> span != root).allSatisfy(span -> {
            assertThat(byId).as("the parent of %s", span.name()).containsKey(span.parent());
            assertThat(span.start()).isGreaterThanOrEqualTo(root.start());
            assertThat(span.end()).as("the end of %s", span.name()).isLessThanOrEqualTo(root.end());
        });
        for (int attempt = 1; attempt <= 2; attempt++) {
            final Collector.Seen run = byId.get(TraceIds.run(uid, attempt, 1));
            assertThat(run.service()).isEqualTo("codeforge-worker");
            assertThat(run.parent()).isEqualTo(TraceIds.publish(uid, attempt));
            assertThat(byId.get(run.parent()).service()).isEqualTo("codeforge-operator");
            assertThat(run.error()).isEqualTo(attempt == 1);
        }
        assertThat(root.attributes())
                .containsEntry("gen_ai.usage.input_tokens", "200")
                .containsEntry("codeforge.cost_usd", "0.025");
        assertThat(status.result().output().strip()).startsWith("00-" + trace + "-");
    }

    @Test
    void aKilledOperatorTellsNoSpanUnderAnotherId() throws Exception {
        final String uid = scene.task("task", "pool", "echo done", "");
        scene.awaitPhase("task", Phase.Queued);
        scene.restartOperator();
        scene.worker("worker", "pool", 1, exporting());
        scene.awaitPhase("task", Phase.Succeeded);
        final String trace = TraceIds.trace(uid);
        Scene.eventually(() -> names(trace).containsAll(Set.of("AgentTask", "run 1.1")));
        scene.restartOperator();
        throughout(
                Duration.ofSeconds(3),
                () -> names(trace).stream().filter("AgentTask"::equals).count() == 1);
        assertThat(spans(trace)).extracting(Collector.Seen::id).doesNotHaveDuplicates();
        assertThat(spans(trace))
                .filteredOn(span -> span.name().equals("run 1.1"))
                .extracting(Collector.Seen::parent)
                .containsExactly(TraceIds.publish(uid, 1));
    }

    @Test
    void aCollectorThatIsAwayHoldsUpNoTask() throws Exception {
        collector.close();
        scene.worker("worker", "pool", 1, Map.of("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url()));
        scene.task("task", "pool", "echo done", "");
        scene.awaitPhase("task", Phase.Succeeded);
        final Instant asked = Instant.now();
        scene.operator().terminate(Duration.ofSeconds(60));
        assertThat(Duration.between(asked, Instant.now())).isLessThan(Duration.ofSeconds(45));
    }

    private List<Collector.Seen> spans(String trace) {
        return collector.spans().stream()
                .filter(span -> span.trace().equals(trace))
                .toList();
    }

    private List<String> names(String trace) {
        return spans(trace).stream().map(Collector.Seen::name).toList();
    }
}
