package dev.codeforge.scenarios;

import static dev.codeforge.testing.Patience.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.codeforge.api.Phase;
import dev.codeforge.testing.ScriptedWorker;
import dev.codeforge.testing.faults.Installation;
import dev.codeforge.testing.faults.OperatorProcess;
import dev.codeforge.wire.TaskEvent;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the operator as it is shipped writes to standard error. */
final class LoggingIT {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration OUTAGE = Duration.ofSeconds(8);
    private static final int ACK_WAIT = 5;

    private Installation installation;

    @BeforeEach
    void start() throws Exception {
        installation = new Installation();
    }

    @AfterEach
    void stop() throws Exception {
        installation.close();
    }

    @Test
    void aLineIsAnObjectThatSaysWhichTaskItIsAbout() throws Exception {
        final OperatorProcess operator = started(Map.of("CODEFORGE_LOG_FORMAT", "JSON", levels("DEBUG"), file()));
        installation.createPool("pool", ACK_WAIT, "");
        installation.nats().kill();
        // It cannot be published any more, so it is reconciled again and again.
        installation.createTask("task", "pool", "");
        await().atMost(PATIENCE).until(() -> lines(operator).stream()
                .anyMatch(line -> line.path("task").asText().equals("task")));
        final JsonNode line = lines(operator).stream()
                .filter(one -> one.path("task").asText().equals("task"))
                .findFirst()
                .orElseThrow();
        assertThat(Instant.parse(line.path("time").asText()))
                .isBetween(Instant.now().minusSeconds(120), Instant.now());
        assertThat(line.path("namespace").asText()).isEqualTo(installation.namespace());
        assertThat(line.path("pool").asText()).isEqualTo("pool");
        assertThat(line.path("attempt").asText()).isEqualTo("1");
        assertThat(line.path("trace_id").asText()).matches("[0-9a-f]{32}");
        assertThat(line.path("level").asText()).isEqualTo("DEBUG");
        assertThat(line.path("message").asText()).isNotEmpty();
    }

    @Test
    void anOutageOfNatsIsOneLineAndItsEndAnother() throws Exception {
        final OperatorProcess operator = started(Map.of());
        installation.createPool("pool", ACK_WAIT, "");
        installation.createTask("task", "pool", "");
        awaitConnects(operator, 1);
        final int before = text(operator).size();
        installation.nats().kill();
        Thread.sleep(OUTAGE);
        installation.nats().start();
        awaitConnects(operator, 2);
        final List<String> since = text(operator).subList(before, text(operator).size());
        assertThat(since).filteredOn(line -> line.contains("is away")).hasSize(1);
        assertThat(since)
                .allSatisfy(line -> assertThat(line).matches("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z .*"))
                .hasSizeLessThanOrEqualTo(4);
    }

    @Test
    void anOutageOfTheApiServerIsOneLineAndItsEndAnother() throws Exception {
        final OperatorProcess operator = started(Map.of());
        installation.createPool("pool", ACK_WAIT, "");
        installation.createTask("task", "pool", "");
        await().atMost(PATIENCE).until(() -> installation.status("task").phase() == Phase.Queued);
        final int before = text(operator).size();
        try (ScriptedWorker worker = new ScriptedWorker(installation.nats(), installation.namespace(), "pool")) {
            installation.apiServer().killApiServer();
            worker.take();
            // Its status cannot be written.
            worker.write(TaskEvent.Kind.RUNNING);
            await().atMost(PATIENCE).until(() -> count(operator, line -> line.contains("reconciles fail")) == 1);
        }
        installation.apiServer().start();
        await().atMost(PATIENCE).until(() -> installation.status("task").phase() == Phase.Running);
        await().atMost(PATIENCE).until(() -> count(operator, line -> line.contains("reconciles succeed again")) == 1);
        final List<String> since = text(operator).subList(before, text(operator).size());
        assertThat(since).filteredOn(line -> line.contains("reconciles fail")).hasSize(1);
        assertThat(since).noneMatch(line -> line.startsWith("\tat ")).hasSizeLessThanOrEqualTo(6);
    }

    @Test
    void aLevelIsChangedWhileTheOperatorRuns() throws Exception {
        final OperatorProcess operator = started(Map.of(levels("INFO"), file()));
        installation.createPool("pool", ACK_WAIT, "");
        installation.nats().kill();
        installation.createTask("quiet", "pool", "");
        Thread.sleep(OUTAGE);
        assertThat(text(operator)).noneMatch(line -> line.contains(" DEBUG "));
        levels("DEBUG");
        await().atMost(PATIENCE).until(() -> count(operator, line -> line.contains(" DEBUG ")) > 0);
    }

    private OperatorProcess started(Map<String, String> settings) {
        final OperatorProcess operator = installation.operator("operator", settings);
        operator.start();
        operator.awaitReady();
        return operator;
    }

    /** As the chart's ConfigMap. @return the variable that names the file */
    private String levels(String ofOurs) {
        try {
            Files.writeString(
                    levelsFile(),
                    "monitorInterval = 1\nrootLogger.level = INFO\nlogger.ours.name = dev.codeforge\nlogger.ours.level = "
                            + ofOurs + "\n");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return "LOG4J_CONFIGURATION_FILE";
    }

    private String file() {
        return "classpath:log4j2.xml," + levelsFile();
    }

    private Path levelsFile() {
        return installation.directory().resolve("levels.properties");
    }

    /** The operator is ready without NATS. */
    private static void awaitConnects(OperatorProcess operator, int times) {
        // The line of an outage has these words too, and not at its end.
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(text(operator))
                .filteredOn(line -> line.endsWith("is connected"))
                .hasSize(times));
    }

    private static List<String> text(OperatorProcess operator) {
        return operator.logText().lines().toList();
    }

    private static long count(OperatorProcess operator, Predicate<String> wanted) {
        return text(operator).stream().filter(wanted).count();
    }

    private static List<JsonNode> lines(OperatorProcess operator) {
        // The JVM's own note on its options is no line of the log.
        return text(operator).stream()
                .filter(line -> !line.startsWith("NOTE:"))
                .map(LoggingIT::parsed)
                .toList();
    }

    private static JsonNode parsed(String line) {
        try {
            return JSON.readTree(line);
        } catch (IOException e) {
            throw new UncheckedIOException("no JSON: " + line, e);
        }
    }
}
