package dev.codeforge.console.hub;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.jetstream.LiveStreams.Entry;
import dev.codeforge.testing.Schemas;
import dev.codeforge.wire.TaskRef;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The messages under {@code schemas/golden}, as the console writes them. */
final class MessageTest {
    private static final Path GOLDEN = Path.of("schemas", "golden");
    private static final Request REQUEST = new Request(
            "a \"name\"",
            "team",
            Optional.empty(),
            Optional.of("greet"),
            Map.of(),
            EnumSet.allOf(Topic.class),
            Optional.empty(),
            Optional.empty());
    private static final Message.Addressee ADDRESSEE = Message.Addressee.of(REQUEST.id());
    private static final TaskRef TASK = new TaskRef("team", "pool", "5f0c4f9e-7a43-4d0e-9d2b-0a3c1e5b7f21");
    private static final Item ITEM = new Item(
            Item.Kind.TASK,
            "team",
            "greet",
            TASK.id(),
            "pool",
            Map.of(),
            "{\"kind\":\"AgentTask\",\"metadata\":{\"name\":\"greet\"}}");

    @Test
    void theyAreTheGoldenOnesAndFitTheSchema() throws Exception {
        final List<Message> messages = List.of(
                Message.welcome("jane", 15),
                Message.of(Message.Change.Present, ITEM).to(ADDRESSEE),
                Message.event(entry("{\"event\":\"running\"}")).orElseThrow().to(ADDRESSEE),
                Message.line(entry("{\"line\":\"text\",\n\"seq\":1}"))
                        .orElseThrow()
                        .to(ADDRESSEE),
                Message.synced(REQUEST, 17, 99),
                Message.error("a", Refusal.Forbidden, "jane may not watch agenttasks in namespace team"),
                Message.error("", Refusal.Invalid, "the message is no JSON object"),
                Message.heartbeat(Instant.parse("2026-05-04T10:01:05Z")),
                Message.pong());
        assertThat(messages.stream().map(Message::json).toList())
                .containsExactlyElementsOf(Files.readAllLines(GOLDEN.resolve("live-messages.jsonl")));
        for (final Message message : messages) {
            assertThat(problems(message)).as(message.json()).isEmpty();
        }
    }

    @Test
    void aPositionIsInWhatMovesIt() {
        assertThat(Message.event(entry("{}")).orElseThrow().to(ADDRESSEE).event())
                .isEqualTo(7);
        assertThat(Message.event(entry("{}")).orElseThrow().to(ADDRESSEE).line())
                .isEqualTo(Message.SAME);
        assertThat(Message.line(entry("{}")).orElseThrow().to(ADDRESSEE).line()).isEqualTo(7);
    }

    @Test
    void whatIsNoObjectIsLeftOut() {
        assertThat(Message.event(entry("no JSON"))).isEmpty();
        assertThat(Message.line(entry("[]"))).isEmpty();
        assertThat(Message.line(entry(""))).isEmpty();
    }

    private static Entry entry(String body) {
        return new Entry(TASK, 7, 6, body.getBytes(StandardCharsets.UTF_8));
    }

    private static List<String> problems(Message message) throws IOException {
        return Schemas.problems("live-message", message.json().getBytes(StandardCharsets.UTF_8));
    }
}
