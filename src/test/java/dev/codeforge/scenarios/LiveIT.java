package dev.codeforge.scenarios;

import static dev.codeforge.scenarios.Scene.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.codeforge.api.Phase;
import dev.codeforge.testing.LiveClient;
import dev.codeforge.wire.TaskEvent;
import dev.codeforge.wire.TaskRef;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What reaches those who watch by WebSocket, with a real API server, NATS and operator. */
@Timeout(480)
final class LiveIT {
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
    void aClientGetsWhatIsThereAndThenWhatChanges() throws Exception {
        stage.scene().task("task", "pool", "echo", "");
        stage.scene().awaitPhase("task", Phase.Queued);
        try (LiveClient client = LiveClient.of(stage.port(), stage.admin()).subscribe("a", stage.namespace(), "")) {
            assertThat(client.awaitMessage("welcome").path("user").asText()).isEqualTo("admin");
            client.awaitMessage("synced");
            // Its worker is being started meanwhile, which changes the pool.
            assertThat(client.of("pool"))
                    .extracting(message -> message.path("change").asText())
                    .startsWith("Present")
                    .containsOnlyOnce("Present");
            assertThat(client.of("task"))
                    .extracting(message -> message.path("change").asText())
                    .startsWith("Present")
                    .containsOnlyOnce("Present");
            assertThat(phase(client.of("task").getFirst())).isEqualTo("Queued");
            stage.worker().take();
            stage.worker().write(TaskEvent.Kind.RUNNING);
            client.awaitMessage("event", message -> kind(message).equals("running"));
            client.awaitMessage("task", message -> phase(message).equals("Running"));
            stage.worker().write(TaskEvent.Kind.COMPLETED);
            client.awaitMessage("event", message -> kind(message).equals("completed"));
            client.awaitMessage("task", message -> phase(message).equals("Succeeded"));
            stage.scene().taskResource("task").delete();
            client.awaitMessage(
                    "task", message -> message.path("change").asText().equals("Deleted"));
            assertThat(client.sequences("event")).doesNotHaveDuplicates().isSorted();
        }
    }

    @Test
    void aClientThatComesBackGetsWhatItMissedOnce() throws Exception {
        final TaskRef task = stage.running("task");
        stage.print(task, 1, 40);
        final long seen;
        try (LiveClient first = log(LiveClient.of(stage.port(), stage.admin()), "\"afterLine\":0")) {
            first.awaitMessage("synced");
            assertThat(numbers(first)).containsExactlyElementsOf(range(1, 40));
            stage.print(task, 41, 60);
            first.awaitMessage("log", message -> number(message) == 60);
            seen = first.sequences("log").getLast();
        }
        stage.print(task, 61, 1_500);
        try (LiveClient again = log(LiveClient.of(stage.port(), stage.admin()), "\"afterLine\":" + seen)) {
            stage.print(task, 1_501, 1_600);
            again.awaitMessage("log", message -> number(message) == 1_600);
            assertThat(numbers(again)).containsExactlyElementsOf(range(61, 1_600));
        }
        try (LiveClient late = log(LiveClient.of(stage.port(), stage.admin()), "\"afterLine\":999999")) {
            assertThat(late.awaitMessage("error").path("reason").asText()).isEqualTo("TooOld");
        }
    }

    @Test
    void nothingIsMissedWhileNatsIsAwayOrTheConsoleIsStartedAgain() throws Exception {
        final TaskRef task = stage.running("task");
        try (LiveClient client = log(LiveClient.of(stage.port(), stage.admin()), "\"afterLine\":0")) {
            client.awaitMessage("synced");
            stage.print(task, 1, 10);
            client.awaitMessage("log", message -> number(message) == 10);
            stage.scene().installation().nats().kill();
            stage.scene().installation().nats().start();
            stage.print(task, 11, 30);
            client.awaitMessage("log", message -> number(message) == 30);
            assertThat(numbers(client)).containsExactlyElementsOf(range(1, 30));
            stage.console().close();
            assertThat(client.awaitClosed()).isEqualTo(1001);
            stage.print(task, 31, 50);
            stage.startConsole(Map.of());
            final long seen = client.sequences("log").getLast();
            try (LiveClient again = log(LiveClient.of(stage.port(), stage.admin()), "\"afterLine\":" + seen)) {
                again.awaitMessage("synced");
                assertThat(numbers(again)).containsExactlyElementsOf(range(31, 50));
            }
        }
    }

    @Test
    void aClientThatDoesNotReadIsDroppedHarmsNobodyAndComesBackWithoutAGap() throws Exception {
        final TaskRef task = stage.running("task");
        try (LiveClient reads = log(LiveClient.of(stage.port(), stage.admin()), "\"afterLine\":0");
                LiveClient deaf = log(LiveClient.deaf(stage.port(), stage.admin()), "\"afterLine\":0")) {
            reads.awaitMessage("synced");
            final String wide = "x".repeat(4_000);
            for (int line = 1; line <= 3_000; line++) {
                stage.print(task, line, wide);
                if (line % 100 == 0) {
                    // Less than a queue holds waits for the one that reads.
                    final int last = line;
                    reads.awaitMessage("log", message -> number(message) == last);
                }
            }
            assertThat(numbers(reads)).containsExactlyElementsOf(range(1, 3_000));
            eventually(() -> stage.metric("codeforge_live_dropped_clients_total") == 1);
            assertThat(deaf.messages()).isEmpty();
            try (LiveClient again = log(LiveClient.of(stage.port(), stage.admin()), "\"afterLine\":0")) {
                again.awaitMessage("synced");
                assertThat(numbers(again)).containsExactlyElementsOf(range(1, 3_000));
            }
        }
    }

    @Test
    void aCallerSeesWhatHeMaySeeAndNoLonger() throws Exception {
        final TaskRef task = stage.running("task");
        final String token = stage.viewer();
        try (LiveClient nobody = new LiveClient(stage.port()).say("{\"type\":\"ping\"}")) {
            assertThat(nobody.awaitClosed()).isEqualTo(4401);
        }
        try (LiveClient wrong = LiveClient.of(stage.port(), "wrong")) {
            assertThat(wrong.awaitClosed()).isEqualTo(4401);
        }
        try (LiveClient client = LiveClient.of(stage.port(), token)) {
            client.subscribe("a", stage.namespace(), "");
            client.awaitMessage("synced");
            log(client, "");
            assertThat(client.awaitMessage("error", message -> ofSubscription(message, "log"))
                            .path("reason")
                            .asText())
                    .isEqualTo("Forbidden");
            client.subscribe("elsewhere", "default", "");
            client.awaitMessage("error", message -> ofSubscription(message, "elsewhere"));
            stage.withdraw();
            assertThat(client.awaitMessage("error", message -> ofSubscription(message, "a"))
                            .path("reason")
                            .asText())
                    .isEqualTo("Forbidden");
            final int before = client.of("event").size();
            stage.worker().write(TaskEvent.Kind.COMPLETED);
            stage.scene().awaitPhase("task", Phase.Succeeded);
            client.say("{\"type\":\"ping\"}");
            client.awaitMessage("pong");
            assertThat(client.of("event")).hasSize(before);
        }
        assertThat(task.pool()).isEqualTo("pool");
    }

    private LiveClient log(LiveClient client, String more) {
        return client.subscribe(
                "log",
                stage.namespace(),
                "\"task\":\"task\",\"topics\":[\"log\"]" + (more.isEmpty() ? "" : "," + more));
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
}
