package dev.codeforge.jetstream;

import static dev.codeforge.testing.Patience.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.codeforge.testing.PoolQueue;
import dev.codeforge.wire.Subjects;
import io.nats.client.Message;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

final class AdvisoriesIT {
    @Test
    void exhaustedAndTerminatedMessagesAreToldWithWhereAndWhy() throws Exception {
        try (JetStreamFixture jetStream = new JetStreamFixture()) {
            final PoolQueue queue = new PoolQueue(jetStream.client, jetStream.queue("pool"), "tasks.test.pool");
            final Instant before = Instant.now();
            final long exhausted = queue.publishOutside("exhausted");
            queue.exhaust(2);
            final long terminated = queue.publishOutside("terminated");
            final Message message = queue.take();
            jetStream.client.publish(message.getReplyTo(), "+TERM Unparsable".getBytes());
            jetStream.client.flush(PATIENCE);
            final List<Advisories.Delivery> told = new CopyOnWriteArrayList<>();
            try (AutoCloseable ignored = jetStream.connections.advisories().consume(delivery -> {
                told.add(delivery);
                delivery.ack();
            })) {
                await().until(() -> told.size() == 2);
            }
            assertThat(told)
                    .extracting(Advisories.Delivery::advisory)
                    .allSatisfy(advisory -> assertThat(advisory.stream()).isEqualTo("tasks_ns_pool"))
                    .allSatisfy(advisory -> assertThat(advisory.consumer()).isEqualTo("workers"))
                    .allSatisfy(advisory -> assertThat(advisory.time()).isBetween(before, Instant.now()))
                    .satisfiesExactly(
                            first -> {
                                assertThat(first.kind()).isEqualTo(Advisories.Kind.MaxDeliveries);
                                assertThat(first.sequence()).isEqualTo(exhausted);
                                assertThat(first.reason()).isEmpty();
                            },
                            second -> {
                                assertThat(second.kind()).isEqualTo(Advisories.Kind.Terminated);
                                assertThat(second.sequence()).isEqualTo(terminated);
                                assertThat(second.reason()).isEqualTo("Unparsable");
                            });
        }
    }

    @Test
    void oneThatIsPutOffComesAgainAndOneThatIsDoneDoesNot() throws Exception {
        try (JetStreamFixture jetStream = new JetStreamFixture()) {
            final PoolQueue queue = new PoolQueue(jetStream.client, jetStream.queue("pool"), "tasks.test.pool");
            queue.publishOutside("exhausted");
            queue.exhaust(1);
            final List<Long> times = new CopyOnWriteArrayList<>();
            try (AutoCloseable ignored = jetStream.connections.advisories().consume(delivery -> {
                times.add(delivery.times());
                if (delivery.times() == 1) {
                    delivery.later();
                } else {
                    delivery.ack();
                }
            })) {
                await().atMost(PATIENCE).until(() -> times.size() == 2);
                await().until(() -> held(jetStream) == 0);
            }
            assertThat(times).containsExactly(1L, 2L);
        }
    }

    @Test
    void whatCannotBeReadIsLeftOut() throws Exception {
        try (JetStreamFixture jetStream = new JetStreamFixture()) {
            jetStream
                    .client
                    .jetStream()
                    .publish("$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.s.c", "no JSON".getBytes());
            final PoolQueue queue = new PoolQueue(jetStream.client, jetStream.queue("pool"), "tasks.test.pool");
            queue.publishOutside("exhausted");
            queue.exhaust(1);
            final List<Advisories.Advisory> told = new CopyOnWriteArrayList<>();
            try (AutoCloseable ignored = jetStream.connections.advisories().consume(delivery -> {
                told.add(delivery.advisory());
                delivery.ack();
            })) {
                await().until(() -> told.size() == 1 && held(jetStream) == 0);
            }
            assertThat(told.getFirst().stream()).isEqualTo("tasks_ns_pool");
        }
    }

    /** Advisories that were handed over and are not acknowledged. */
    private static long held(JetStreamFixture jetStream) throws Exception {
        return jetStream
                .management()
                .getConsumerInfo(Subjects.ADVISORIES_STREAM, jetStream.streams.operatorDurable())
                .getNumAckPending();
    }
}
