package dev.codeforge.wire;

import static dev.codeforge.testing.Schemas.problems;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The messages under {@code schemas/golden}, which the Python worker's tests read too. */
final class GoldenMessagesTest {
    private static final Path GOLDEN = Path.of("schemas", "golden");
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final DispatchKey KEY = new DispatchKey(
            HexFormat.of().parseHex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"));

    record Vector(String key, String uid, int attempt, String dispatchId, String body, String proof) {}

    static Stream<Vector> vectors() throws IOException {
        return StreamSupport.stream(json("proofs.json").spliterator(), false)
                .map(node -> new Vector(
                        node.get("key_hex").textValue(),
                        node.get("uid").textValue(),
                        node.get("attempt").intValue(),
                        node.get("dispatch_id").textValue(),
                        node.get("body").textValue(),
                        node.get("proof").textValue()));
    }

    @ParameterizedTest
    @MethodSource("vectors")
    void proofsAreThoseOfTheWorker(Vector vector) {
        final DispatchKey key = new DispatchKey(HexFormat.of().parseHex(vector.key()));
        final byte[] body = vector.body().getBytes(StandardCharsets.UTF_8);
        assertThat(key.dispatchId(vector.uid(), vector.attempt())).isEqualTo(vector.dispatchId());
        assertThat(key.proof(vector.uid(), vector.attempt(), body)).isEqualTo(vector.proof());
        assertThat(key.proves(vector.uid(), vector.attempt(), body, vector.proof()))
                .isTrue();
    }

    @ParameterizedTest
    @MethodSource("vectors")
    void aProofHoldsForItsBodyAndItsAttemptOnly(Vector vector) {
        final DispatchKey key = new DispatchKey(HexFormat.of().parseHex(vector.key()));
        final byte[] body = vector.body().getBytes(StandardCharsets.UTF_8);
        final byte[] another = (vector.body() + " ").getBytes(StandardCharsets.UTF_8);
        assertThat(key.proves(vector.uid(), vector.attempt(), another, vector.proof()))
                .isFalse();
        assertThat(key.proves(vector.uid(), vector.attempt() - 1, body, vector.proof()))
                .isFalse();
        assertThat(key.proves(vector.uid(), vector.attempt(), body, "")).isFalse();
    }

    @ParameterizedTest
    @MethodSource("vectors")
    void whatWasSentUnderThePreviousKeyIsStillProven(Vector vector) {
        final DispatchKey changed = new DispatchKey(
                new byte[32], Optional.of(new DispatchKey(HexFormat.of().parseHex(vector.key()))));
        final byte[] body = vector.body().getBytes(StandardCharsets.UTF_8);
        assertThat(changed.proves(vector.uid(), vector.attempt(), body, vector.proof()))
                .isTrue();
        assertThat(changed.dispatchId(vector.uid(), vector.attempt())).isNotEqualTo(vector.dispatchId());
    }

    @Test
    void anEventWithoutWhatItMayLackIsReadAllTheSame() throws Exception {
        final TaskEvent event = TaskEvent.parse(
                "{\"task_id\":\"a\",\"event\":\"failed\",\"event_id\":\"e\",\"attempt\":1,\"usage\":{},\"failure\":{}}"
                        .getBytes(StandardCharsets.UTF_8));
        assertThat(event.failureType()).isEqualTo("AgentFailed");
        assertThat(event.usage().costUsd()).isEqualTo("0");
        assertThat(event.time()).isNotNull();
    }

    static Stream<String> events() throws IOException {
        try (Stream<Path> files = Files.list(GOLDEN)) {
            return files
                    .map(path -> path.getFileName().toString())
                    .filter(name -> name.startsWith("event-") && !name.endsWith(".headers.json"))
                    .sorted()
                    .toList()
                    .stream();
        }
    }

    @ParameterizedTest
    @MethodSource("events")
    void anEventIsReadAndItsProofHolds(String file) throws Exception {
        final byte[] body = body(file);
        final TaskEvent event = TaskEvent.parse(body);
        assertThat(file).startsWith("event-" + event.kind().name().toLowerCase(Locale.ROOT));
        final JsonNode headers = json(file.replace(".json", ".headers.json"));
        assertThat(headers.get(Headers.PROTOCOL).textValue()).isEqualTo(Headers.PROTOCOL_VERSION);
        assertThat(headers.get(Headers.MESSAGE_ID).textValue()).isEqualTo(event.eventId());
        assertThat(KEY.proves(
                        event.taskId(),
                        event.attempt(),
                        body,
                        headers.get(Headers.PROOF).textValue()))
                .isTrue();
    }

    @ParameterizedTest
    @MethodSource("events")
    void anEventThatIsWrittenAnewIsStillAsTheSchemaSays(String file) throws Exception {
        final TaskEvent event = TaskEvent.parse(body(file));
        assertThat(problems("event", event.toJson())).isEmpty();
        assertThat(TaskEvent.parse(event.toJson())).isEqualTo(event);
    }

    @Test
    void everyKindOfEventHasAGoldenOne() throws IOException {
        assertThat(events().toList())
                .containsExactly(
                        "event-cancelled-suspended.json",
                        "event-cancelled.json",
                        "event-completed-session.json",
                        "event-completed-with-artifacts.json",
                        "event-completed.json",
                        "event-failed-may-have-run.json",
                        "event-failed-pushed.json",
                        "event-failed-retry-after.json",
                        "event-failed.json",
                        "event-progress-checkpoint.json",
                        "event-progress.json",
                        "event-released.json",
                        "event-running.json");
    }

    @Test
    void moneyAndOutputComeThroughExactly() throws Exception {
        final TaskEvent event = TaskEvent.parse(body("event-completed.json"));
        assertThat(event.costUsd()).isEqualTo(new BigDecimal("0.01335"));
        assertThat(event.usage()).isEqualTo(new TaskEvent.Usage(3400, 210, "0.01335", 1));
        assertThat(event.output()).isEqualTo("Applied edit to greeter.py — naïve “stranger” handled");
        assertThat(event.files()).containsExactly("greeter.py");
        assertThat(event.result().git().pushed()).isTrue();
        assertThat(event.result().git().commit()).isEqualTo("89e6c98d92887913cadf06b2adb97f26cde4849b");
    }

    @Test
    void whatARunLeavesOfItsConversationIsWhatTheNextContinues() throws Exception {
        final SessionObject left =
                TaskEvent.parse(body("event-completed-session.json")).result().session();
        assertThat(left.size()).isEqualTo(4096);
        assertThat(TaskMessage.parse(body("task-message-session.json")).session())
                .isEqualTo(new TaskMessage.Session("greeter-talk", left));
    }

    @Test
    void artifactsAreToldByNameSizeAndChecksum() throws Exception {
        final TaskEvent.Result result =
                TaskEvent.parse(body("event-completed-with-artifacts.json")).result();
        assertThat(result.artifacts())
                .extracting(TaskEvent.Artifact::name)
                .containsExactly("changes.patch", "diffstat.txt", "report.html");
        assertThat(result.artifacts().getFirst().size()).isEqualTo(412);
        assertThat(result.artifacts().getFirst().digest()).startsWith("sha-256:");
        assertThat(result.artifactsProblem()).startsWith("video.webm was not kept");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "task-message.json",
                "task-message-at-most-once.json",
                "task-message-checkpoint.json",
                "task-message-session.json",
                "task-message-push-on-failure.json"
            })
    void theTaskMessageIsReadAndWrittenWithoutLoss(String file) throws Exception {
        final TaskMessage message = TaskMessage.parse(body(file));
        assertThat(JSON.readTree(message.toJson())).isEqualTo(json(file));
        assertThat(message.dispatchId()).isEqualTo(KEY.dispatchId(message.taskId(), message.attempt()));
    }

    @ParameterizedTest
    @MethodSource("goldenWithSchema")
    void theGoldenMessagesAreAsTheirSchemasSay(List<String> pair) throws Exception {
        assertThat(problems(pair.get(1), body(pair.get(0)))).isEmpty();
    }

    static Stream<List<String>> goldenWithSchema() throws IOException {
        return Stream.concat(
                events().map(name -> List.of(name, "event")),
                Stream.of(
                        List.of("task-message.json", "task-message"),
                        List.of("task-message-at-most-once.json", "task-message"),
                        List.of("task-message-checkpoint.json", "task-message"),
                        List.of("task-message-session.json", "task-message"),
                        List.of("task-message-push-on-failure.json", "task-message"),
                        List.of("task-message-plain.json", "task-message"),
                        List.of("log-line.json", "log-line")));
    }

    @Test
    void theSchemasRefuseWhatIsNotAMessage() throws Exception {
        assertThat(problems(
                        "task-message", "{\"task_id\": \"a.b\", \"prompt\": \"x\"}".getBytes(StandardCharsets.UTF_8)))
                .isNotEmpty();
        assertThat(problems("event", "{\"task_id\": \"a\"}".getBytes(StandardCharsets.UTF_8)))
                .isNotEmpty();
    }

    /** As sent: without the line break that ends the file. */
    private static byte[] body(String file) throws IOException {
        return Files.readString(GOLDEN.resolve(file)).stripTrailing().getBytes(StandardCharsets.UTF_8);
    }

    private static JsonNode json(String file) throws IOException {
        return JSON.readTree(Files.readString(GOLDEN.resolve(file)));
    }
}
