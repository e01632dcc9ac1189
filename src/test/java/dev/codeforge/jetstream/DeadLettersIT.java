package dev.codeforge.jetstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.codeforge.testing.PoolQueue;
import dev.codeforge.wire.Headers;
import dev.codeforge.wire.Subjects;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

final class DeadLettersIT {
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
    void aMessageIsCopiedWithItsReasonAndOriginAndThenDeleted() throws Exception {
        final PoolQueue queue = queue("moved");
        queue.publishOutside("before");
        final long sequence = queue.publishOurs("task", "test-cluster", 3, "secret");
        final Optional<DeadLetters.Buried> buried = bury("moved", sequence, () -> {});
        assertThat(buried)
                .contains(new DeadLetters.Buried("tasks.test.moved.task", "task", "test-cluster", 3, "secret"));
        assertThat(queue.messages()).isEqualTo(1);
        final var letter =
                jetStream.management().getLastMessage(Subjects.DEADLETTERS_STREAM, Subjects.deadLetters("ns", "moved"));
        assertThat(letter.getData()).asString().contains("\"task_id\":\"task\"").contains("\"attempt\":3");
        assertThat(letter.getHeaders().getFirst(Headers.REASON)).isEqualTo("Reason");
        assertThat(letter.getHeaders().getFirst(Headers.DETAIL)).isEqualTo("of two lines");
        assertThat(letter.getHeaders().getFirst(Headers.TASK_ID)).isEqualTo("task");
        assertThat(letter.getHeaders().getFirst(Headers.ORIGIN_SUBJECT)).isEqualTo("tasks.test.moved.task");
        assertThat(letter.getHeaders().getFirst(Headers.ORIGIN_STREAM)).isEqualTo("tasks_ns_moved");
        assertThat(letter.getHeaders().getFirst(Headers.ORIGIN_SEQUENCE)).isEqualTo(Long.toString(sequence));
    }

    @Test
    void theCopyIsStoredBeforeAnythingElseAndTheMessageStandsUntilTheEnd() throws Exception {
        final PoolQueue queue = queue("cut");
        final long sequence = queue.publishOutside("task");
        assertThatThrownBy(() -> bury("cut", sequence, () -> {
                    assertThat(count("cut")).isEqualTo(1);
                    throw new IllegalStateException("cut here");
                }))
                .hasMessage("cut here");
        assertThat(queue.messages()).isEqualTo(1);
        assertThat(bury("cut", sequence, () -> {})).isPresent();
        assertThat(queue.messages()).isZero();
        assertThat(count("cut")).isEqualTo(1);
    }

    @Test
    void aMessageThatWentMeanwhileIsNoError() throws Exception {
        final PoolQueue queue = queue("gone");
        final long sequence = queue.publishOutside("task");
        assertThat(bury("gone", sequence, () -> {
                    try {
                        jetStream.management().deleteMessage("tasks_ns_gone", sequence);
                    } catch (java.io.IOException | io.nats.client.JetStreamApiException e) {
                        throw new AssertionError(e);
                    }
                }))
                .isPresent();
    }

    @Test
    void whereNothingStandsNothingIsBuried() {
        queue("empty");
        assertThat(bury("empty", 1, () -> {})).isEmpty();
        assertThat(bury("missing", 1, () -> {})).isEmpty();
        assertThat(count("empty")).isZero();
    }

    @Test
    void whatIsNoTaskIsBuriedToo() throws Exception {
        queue("junk");
        final long sequence = jetStream
                .client
                .jetStream()
                .publish("tasks.test.junk", new byte[] {1, 2, 3})
                .getSeqno();
        assertThat(bury("junk", sequence, () -> {})).contains(new DeadLetters.Buried("tasks.test.junk", "", "", 0, ""));
    }

    private static Optional<DeadLetters.Buried> bury(String pool, long sequence, Runnable beforeRemoval) {
        return jetStream
                .connections
                .deadLetters()
                .bury(
                        "ns",
                        pool,
                        "tasks_ns_" + pool,
                        sequence,
                        "Reason",
                        "of two\nlines",
                        ignored -> beforeRemoval.run());
    }

    private static long count(String pool) {
        return jetStream.connections.deadLetters().count("ns", pool);
    }

    private static PoolQueue queue(String pool) {
        return new PoolQueue(jetStream.client, jetStream.queue(pool), "tasks.test." + pool);
    }
}
