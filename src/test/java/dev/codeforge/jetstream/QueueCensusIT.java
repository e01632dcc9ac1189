package dev.codeforge.jetstream;

import static dev.codeforge.testing.Patience.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.codeforge.jetstream.TaskQueue.QueuedTask;
import dev.codeforge.testing.PoolQueue;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

final class QueueCensusIT {
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
    void anExhaustedMessageIsFoundAmongWaitingOnes() throws Exception {
        final PoolQueue queue = queue("waiting");
        final long dead = queue.publishOutside("dead");
        queue.exhaust(2);
        queue.publishOutside("waiting");
        final QueueCensus census = census("waiting");
        assertThat(census.dead()).isEqualTo(1);
        assertThat(census.handedOut()).extracting(QueuedTask::taskId).containsExactly("dead");
        assertThat(census.exhausted(Set.of())).containsExactly(dead);
    }

    @Test
    void aMessageInHandIsCountedAsSuch() throws Exception {
        final PoolQueue queue = queue("running");
        final long dead = queue.publishOutside("dead");
        queue.exhaust(2);
        queue.maxDeliver(100);
        final long running = queue.publishOutside("running");
        assertThat(queue.take().metaData().streamSequence()).isEqualTo(running);
        final QueueCensus census = census("running");
        assertThat(census.dead()).isEqualTo(1);
        assertThat(census.inHand()).isEqualTo(1);
        assertThat(census.toAsk()).extracting(QueuedTask::taskId).containsExactly("dead", "running");
        assertThat(census.exhausted(Set.of())).isEmpty();
        assertThat(census.exhausted(Set.of(running))).containsExactly(dead);
    }

    @Test
    void aMessageThatWaitsForItsNextDeliveryIsNotDead() throws Exception {
        final PoolQueue queue = queue("again");
        queue.publishOutside("again");
        queue.take().nakWithDelay(Duration.ofMinutes(1));
        jetStream.client.flush(PATIENCE);
        final QueueCensus census = census("again");
        assertThat(census.dead()).isZero();
        assertThat(census.exhausted(Set.of())).isEmpty();
    }

    @Test
    void aHealthyQueueCostsFourRequestsAndNoMessageIsRead() throws Exception {
        final PoolQueue queue = queue("healthy");
        queue.publishOutside("healthy");
        queue.take();
        final List<String> requests = jetStream.requests("$JS.API.>");
        assertThat(census("healthy").dead()).isZero();
        await().untilAsserted(() -> assertThat(requests)
                .containsExactlyInAnyOrder(
                        "$JS.API.CONSUMER.INFO.tasks_ns_healthy.workers",
                        "$JS.API.CONSUMER.INFO.tasks_ns_healthy.workers",
                        "$JS.API.STREAM.INFO.tasks_ns_healthy",
                        "$JS.API.STREAM.INFO.tasks_ns_healthy"));
    }

    @Test
    void aMissingQueueHoldsNothing() {
        assertThat(census("missing")).isEqualTo(QueueCensus.NOTHING);
        assertThat(jetStream.connections.queue().at("tasks_ns_missing", 1)).isEmpty();
    }

    @Test
    void aMessageIsFoundByItsSequence() throws Exception {
        final long sequence = queue("at").publishOutside("outside");
        final TaskQueue queue = jetStream.connections.queue();
        assertThat(queue.at("tasks_ns_at", sequence).orElseThrow().taskId()).isEqualTo("outside");
        assertThat(queue.at("tasks_ns_at", sequence + 1)).isEmpty();
    }

    private static QueueCensus census(String pool) {
        return jetStream.connections.queue().census("tasks_ns_" + pool).orElseThrow();
    }

    private static PoolQueue queue(String pool) {
        return new PoolQueue(jetStream.client, jetStream.queue(pool), "tasks.test." + pool);
    }
}
