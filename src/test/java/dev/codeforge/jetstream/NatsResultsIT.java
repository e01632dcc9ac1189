package dev.codeforge.jetstream;

import static dev.codeforge.testing.Patience.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.codeforge.jetstream.Results.StoredEvent;
import dev.codeforge.wire.Subjects;
import dev.codeforge.wire.TaskRef;
import io.nats.client.Subscription;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
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
        final List<TaskRef> tasks = new ArrayList<>();
        for (int i = 0; i < 2500; i++) {
            final TaskRef task = task();
            write(task, "first of " + task.id());
            tasks.add(task);
        }
        final long last = write(tasks.get(7), "second");
        final List<String> requests = jetStream.requests("$JS.API.DIRECT.GET.>");
        final Map<TaskRef, StoredEvent> found = results()
                .lastOf(Stream.concat(tasks.stream(), Stream.of(task(), task())).toList());
        assertThat(found).containsOnlyKeys(tasks);
        assertThat(found.get(tasks.get(7)))
                .satisfies(event -> assertThat(event.sequence()).isEqualTo(last))
                .satisfies(event -> assertThat(event.body()).asString().isEqualTo("second"));
        assertThat(found.get(tasks.get(2499)).body())
                .asString()
                .isEqualTo("first of " + tasks.get(2499).id());
        assertThat(found.get(tasks.get(2499)).proof()).isEqualTo("proof");
        await().untilAsserted(() -> assertThat(requests).hasSize(3));
    }

    @Test
    void howeverAnEventIsReadItHasTheTimeOfItsStoring() throws Exception {
        final Instant before = jetStream.connections.time();
        final TaskRef task = task();
        write(task, "event");
        final Instant after = jetStream.connections.time();
        final Instant stored = results().last(task).orElseThrow().time();
        assertThat(stored).isBetween(before, after);
        assertThat(results().lastOf(List.of(task)).get(task).time()).isEqualTo(stored);
        final List<Instant> consumed = new CopyOnWriteArrayList<>();
        try (AutoCloseable taking = results().consume(delivery -> {
            if (delivery.event().task().equals(task)) {
                consumed.add(delivery.event().time());
            }
            delivery.ack();
        })) {
            await().atMost(PATIENCE).untilAsserted(() -> assertThat(consumed).containsExactly(stored));
        }
    }

    @Test
    void anAnswerThatIsCutShortIsAskedForAgain() {
        final List<TaskRef> tasks =
                Stream.generate(NatsResultsIT::task).limit(100).toList();
        tasks.forEach(task -> write(task, "x".repeat(200_000)));
        assertThat(results().lastOf(tasks)).containsOnlyKeys(tasks);
    }

    @Test
    void noTaskOrNoEventIsAnEmptyAnswer() {
        assertThat(results().lastOf(List.of())).isEmpty();
        assertThat(results().lastOf(List.of(task()))).isEmpty();
    }

    @Test
    void twoPoolsMayHaveTasksOfOneId() {
        final TaskRef task = task();
        final TaskRef other = new TaskRef("other", "pool", task.id());
        write(task, "one");
        assertThat(results().last(other)).isEmpty();
        assertThat(results().lastOf(List.of(task, other))).containsOnlyKeys(task);
    }

    @Test
    void whoHearsAnEventCanReadItByTaskAtOnce() throws Exception {
        final TaskRef task = task();
        final Subscription heard = jetStream.client.subscribe(Subjects.results(task.id()));
        for (int i = 0; i < 100; i++) {
            write(task, "event " + i);
            assertThat(heard.nextMessage(PATIENCE).getData()).asString().isEqualTo("event " + i);
            assertThat(jetStream
                            .management()
                            .getLastMessage(Subjects.RESULTS_STREAM, Subjects.results(task.id()))
                            .getData())
                    .asString()
                    .isEqualTo("event " + i);
        }
    }

    @Test
    void absenceIsAskedOfTheLeader() throws Exception {
        final List<String> any = jetStream.requests("$JS.API.DIRECT.GET.>");
        final List<String> leader = jetStream.requests("$JS.API.STREAM.MSG.GET.>");
        assertThat(results().last(task())).isEmpty();
        await().untilAsserted(() -> assertThat(leader).hasSize(1));
        assertThat(any).isEmpty();
    }

    @Test
    void aMissingStreamIsNoAbsence() throws Exception {
        try (JetStreamFixture empty = new JetStreamFixture()) {
            empty.management().deleteStream(Subjects.EVENTS_STREAM);
            final Results results = empty.connections.results();
            assertThatThrownBy(() -> results.lastOf(List.of(task()))).isInstanceOf(QueueUnavailableException.class);
            assertThatThrownBy(() -> results.last(task())).isInstanceOf(QueueUnavailableException.class);
        }
    }

    private static TaskRef task() {
        return new TaskRef("ns", "pool", UUID.randomUUID().toString());
    }

    private static Results results() {
        return jetStream.connections.results();
    }

    private static long write(TaskRef task, String body) {
        final Results results = results();
        final long before = results.last(task).map(StoredEvent::sequence).orElse(0L);
        return results.append(
                        task, UUID.randomUUID().toString(), body.getBytes(StandardCharsets.UTF_8), "proof", before)
                .orElseThrow();
    }
}
