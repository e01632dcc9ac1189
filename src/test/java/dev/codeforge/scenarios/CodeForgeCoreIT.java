package dev.codeforge.scenarios;

import static dev.codeforge.scenarios.EndState.WORK;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.codeforge.jetstream.NatsAccess;
import dev.codeforge.testing.TestBinaries;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** CodeForge's core, played by the Go client in hack/core, publishes plain tasks and reads their results. */
final class CodeForgeCoreIT {
    private static Scene scene;

    @BeforeAll
    static void start() throws Exception {
        scene = Scene.started("pool");
        scene.worker("worker", "pool", 2);
    }

    @AfterAll
    static void stop() throws Exception {
        scene.close();
    }

    @Scenario
    void aPlainTaskEndsWithTheResultThatTheCoreKnows() throws Exception {
        final JsonNode result = core(WORK);
        assertThat(result.path("status").asText()).isEqualTo("completed");
        assertThat(result.path("output").asText()).contains("done");
        assertThat(result.path("error").asText()).isEmpty();
        assertThat(result.path("files").isArray()).isTrue();
    }

    @Scenario
    void aFailureIsTold() throws Exception {
        final JsonNode result = core("exit 3");
        assertThat(result.path("status").asText()).isEqualTo("failed");
        assertThat(result.path("error").asText()).contains("exited with code 3");
    }

    private static JsonNode core(String prompt) throws IOException, InterruptedException {
        final NatsAccess.Password nats = scene.installation().nats().endpoint();
        final Process core = new ProcessBuilder(List.of(
                        TestBinaries.path("codeforge-core"),
                        "--url",
                        nats.url(),
                        "--user",
                        nats.username(),
                        "--password",
                        nats.password(),
                        "--subject",
                        scene.subject("pool"),
                        "--prompt",
                        prompt))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        final String printed = new String(core.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(core.waitFor(90, TimeUnit.SECONDS)).isTrue();
        assertThat(core.exitValue()).isZero();
        return new ObjectMapper().readTree(printed);
    }
}
