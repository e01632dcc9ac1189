package dev.codeforge.operator.deadletter;

import static dev.codeforge.testing.Patience.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.codeforge.api.AgentTask;
import dev.codeforge.operator.results.OperatorEvents;
import dev.codeforge.testing.ServedPool;
import dev.codeforge.wire.Subjects;
import dev.codeforge.wire.TaskEvent.Kind;
import io.nats.client.Message;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class ExhaustedSweepIT {
    private ServedPool pool;
    private ExhaustedSweep sweep;

    @BeforeEach
    void start() throws Exception {
        pool = new ServedPool();
        // Nobody hears the advisories.
        pool.client.jetStreamManagement().deleteStream(Subjects.ADVISORIES_STREAM);
        sweep = new ExhaustedSweep(
                new PoolQueues(pool.poolIndex()),
                pool.connections,
                new Burial(
                        pool.connections,
                        new OperatorEvents(pool.key, Clock.systemUTC()),
                        pool.key,
                        ServedPool.INSTALLATION));
    }

    @AfterEach
    void stop() {
        pool.close();
    }

    @Test
    void exhaustedMessagesThatNoAdvisoryToldAreFound() throws Exception {
        final AgentTask task = pool.queued("task", 1, 1);
        pool.publish(task, 1);
        pool.queue.exhaust(2);
        pool.queue.publishOutside("outside");
        pool.queue.exhaust(2);
        pool.queue.publishOutside("waiting");
        sweep.run();
        assertThat(pool.deadLetters()).isEqualTo(2);
        assertThat(pool.queue.messages()).isEqualTo(1);
        assertThat(pool.lastEvent(task.uid()).orElseThrow().failure().type()).isEqualTo("MaxDeliveriesExceeded");
        assertThat(pool.events()).isEqualTo(1);
        assertThat(pool.queue.take().metaData().streamSequence()).isEqualTo(3);
    }

    @Test
    void aHealthyMessageInFlightIsNotBuriedWithTheDeadOne() throws Exception {
        final AgentTask dead = pool.queued("dead", 1, 1);
        pool.publish(dead, 1);
        pool.queue.exhaust(2);
        pool.queue.maxDeliver(100);
        final AgentTask healthy = pool.queued("healthy", 1, 2);
        pool.publish(healthy, 1);
        final Message inHand = pool.queue.take();
        try (AutoCloseable ignored = pool.hold(healthy.uid())) {
            sweep.run();
        }
        assertThat(pool.deadLetters()).isEqualTo(1);
        assertThat(pool.lastEvent(dead.uid()).orElseThrow().kind()).isEqualTo(Kind.FAILED);
        assertThat(pool.lastEvent(healthy.uid())).isEmpty();
        assertThat(pool.queue.messages()).isEqualTo(1);
        inHand.ackSync(PATIENCE);
        assertThat(pool.queue.messages()).isZero();
    }

    @Test
    void whileItCannotBeToldWhichIsDeadNoneIsBuried() throws Exception {
        pool.queue.publishOutside("dead");
        pool.queue.exhaust(2);
        pool.queue.maxDeliver(100);
        pool.queue.publishOutside("silent");
        pool.queue.take().nakWithDelay(Duration.ofSeconds(8));
        pool.client.flush(PATIENCE);
        sweep.run();
        assertThat(pool.deadLetters()).isZero();
        assertThat(pool.queue.messages()).isEqualTo(2);
        pool.queue.take().ackSync(PATIENCE);
        sweep.run();
        assertThat(pool.deadLetters()).isEqualTo(1);
        assertThat(pool.queue.messages()).isZero();
    }

    @Test
    void aQueueWithoutDeadMessagesIsReadAndNothingElse() throws Exception {
        pool.queue.publishOutside("waiting");
        pool.queue.publishOutside("running");
        pool.queue.take();
        final List<String> requests = pool.requests("$JS.API.>");
        sweep.run();
        await().untilAsserted(() -> assertThat(requests)
                .containsExactlyInAnyOrder(
                        "$JS.API.CONSUMER.INFO." + ServedPool.STREAM + ".workers",
                        "$JS.API.CONSUMER.INFO." + ServedPool.STREAM + ".workers",
                        "$JS.API.STREAM.INFO." + ServedPool.STREAM,
                        "$JS.API.STREAM.INFO." + ServedPool.STREAM));
        assertThat(pool.queue.messages()).isEqualTo(2);
    }
}
