package dev.codeforge.jetstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.codeforge.wire.Subjects;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

final class NatsResultsIT {
    private static JetStreamFixture jetStream;

    @BeforeAll
    static void start() throws Exception {
        jetStream = new JetStreamFixture();
    }

    @AfterAll
    static void stop() {
        jetStream.close();
    }

    @Test
    void theLastEventsOf2500TasksCostThreeRequests() throws Exception {
        final List<String> ids = new ArrayList<>();
        for (int i = 0; i < 2500; i++) {
            final String id = UUID.randomUUID().toString();
            write(id, "first of " + id);
            ids.add(id);
        }
        final long last = write(ids.get(7), "second");
        final List<String> requests = jetStream.requests("$JS.API.DIRECT.GET.>");
        final Map<String, StoredEvent> found = results()
                .lastOf(Stream.concat(ids.stream(), Stream.of("absent-1", "absent-2"))
                        .toList());
        assertThat(found).containsOnlyKeys(ids);
        assertThat(found.get(ids.get(7)))
                .satisfies(event -> assertThat(event.sequence()).isEqualTo(last))
                .satisfies(event -> assertThat(event.body()).asString().isEqualTo("second"));
        assertThat(found.get(ids.get(2499)).body()).asString().isEqualTo("first of " + ids.get(2499));
        assertThat(found.get(ids.get(2499)).proof()).isEqualTo("proof");
        await().untilAsserted(() -> assertThat(requests).hasSize(3));
    }

    @Test
    void anAnswerThatIsCutShortIsAskedForAgain() {
        final List<String> ids =
                Stream.generate(() -> UUID.randomUUID().toString()).limit(100).toList();
        ids.forEach(id -> write(id, "x".repeat(200_000)));
        assertThat(results().lastOf(ids)).containsOnlyKeys(ids);
    }

    @Test
    void noTaskOrNoEventIsAnEmptyAnswer() {
        assertThat(results().lastOf(List.of())).isEmpty();
        assertThat(results().lastOf(List.of("absent"))).isEmpty();
    }

    @Test
    void absenceIsAskedOfTheLeader() throws Exception {
        final String id = UUID.randomUUID().toString();
        final List<String> any = jetStream.requests("$JS.API.DIRECT.GET.>");
        final List<String> leader = jetStream.requests("$JS.API.STREAM.MSG.GET.>");
        assertThat(results().last(id)).isEmpty();
        await().untilAsserted(() -> assertThat(leader).hasSize(1));
        assertThat(any).isEmpty();
    }

    @Test
    void aMissingStreamIsNoAbsence() throws Exception {
        try (JetStreamFixture empty = new JetStreamFixture()) {
            empty.management().deleteStream(Subjects.RESULTS_STREAM);
            final Results results = empty.connections.results("ns");
            assertThatThrownBy(() -> results.lastOf(List.of("x"))).isInstanceOf(QueueUnavailableException.class);
            assertThatThrownBy(() -> results.last("x")).isInstanceOf(QueueUnavailableException.class);
        }
    }

    private static Results results() {
        return jetStream.connections.results("ns");
    }

    private static long write(String id, String body) {
        final Results results = results();
        final long before = results.last(id).map(StoredEvent::sequence).orElse(0L);
        return results.append(id, UUID.randomUUID().toString(), body.getBytes(StandardCharsets.UTF_8), "proof", before)
                .orElseThrow();
    }
}
