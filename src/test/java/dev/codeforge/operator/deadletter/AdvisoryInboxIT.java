package dev.codeforge.operator.deadletter;

import static dev.codeforge.testing.Patience.PATIENCE;
import static dev.codeforge.testing.Patience.throughout;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.codeforge.api.AgentTask;
import dev.codeforge.operator.results.OperatorEvents;
import dev.codeforge.testing.Events;
import dev.codeforge.testing.ServedPool;
import dev.codeforge.wire.Subjects;
import dev.codeforge.wire.TaskEvent;
import dev.codeforge.wire.TaskEvent.Kind;
import io.nats.client.Message;
import java.time.Clock;
import java.time.Duration;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class AdvisoryInboxIT {
    private ServedPool pool;
    private AutoCloseable inbox = () -> {};

    @BeforeEach
    void start() throws Exception {
        pool = new ServedPool();
    }

    @AfterEach
    void stop() throws Exception {
        inbox.close();
        pool.close();
    }

    private void open() {
        final OperatorEvents events = new OperatorEvents(pool.key, Clock.systemUTC());
        final PoolQueues queues = new PoolQueues(pool.poolIndex());
        inbox = new AdvisoryInbox(
                        queues,
                        pool.index(),
                        pool.connections,
                        events,
                        new Burial(pool.connections, events, pool.key, ServedPool.INSTALLATION))
                .open();
    }

    @Test
    void anExhaustedMessageOfOursIsBuriedAndItsTaskFails() throws Exception {
        final AgentTask task = pool.queued("task", 2, 1);
        pool.report(Events.of(task, Kind.PROGRESS, 2, 1));
        pool.publish(task, 2);
        open();
        pool.queue.exhaust(3);
        await().until(() -> pool.queue.messages() == 0);
        assertThat(pool.deadLetters()).isEqualTo(1);
        final TaskEvent outcome = pool.lastEvent(task.uid()).orElseThrow();
        assertThat(outcome.kind()).isEqualTo(Kind.FAILED);
        assertThat(outcome.attempt()).isEqualTo(2);
        assertThat(outcome.failure().type()).isEqualTo("MaxDeliveriesExceeded");
        assertThat(outcome.failure().retryable()).isFalse();
        assertThat(outcome.usage()).isEqualTo(new TaskEvent.Usage(3, 4, "0.05"));
    }

    @Test
    void anExhaustedMessageFromOutsideIsBuriedAndNobodysTaskFails() throws Exception {
        open();
        pool.queue.publishOutside("outside");
        pool.queue.exhaust(2);
        await().until(() -> pool.queue.messages() == 0);
        assertThat(pool.deadLetters()).isEqualTo(1);
        assertThat(pool.events()).isZero();
    }

    @Test
    void aMessageThatOnlyBearsOurNameEndsNoTask() throws Exception {
        final AgentTask task = pool.queued("task", 1, 1);
        open();
        pool.queue.publishOurs(task.uid(), ServedPool.INSTALLATION, 1, "0".repeat(64));
        pool.queue.exhaust(2);
        await().until(() -> pool.queue.messages() == 0);
        assertThat(pool.deadLetters()).isEqualTo(1);
        assertThat(pool.lastEvent(task.uid())).isEmpty();
    }

    @Test
    void anExhaustedMessageWhoseLastRunGoesOnIsLeftToIt() throws Exception {
        final AgentTask task = pool.queued("task", 1, 1);
        pool.publish(task, 1);
        try (AutoCloseable ignored = pool.hold(task.uid())) {
            open();
            pool.queue.exhaust(2);
            throughout(Duration.ofSeconds(3), () -> pool.queue.messages() == 1 && pool.deadLetters() == 0);
        }
        await().atMost(PATIENCE).until(() -> pool.queue.messages() == 0);
        assertThat(pool.lastEvent(task.uid()).orElseThrow().kind()).isEqualTo(Kind.FAILED);
    }

    @Test
    void anOutcomeThatCameLateStands() throws Exception {
        final AgentTask task = pool.queued("task", 1, 1);
        pool.report(Events.of(task, Kind.COMPLETED));
        pool.publish(task, 1);
        open();
        pool.queue.exhaust(2);
        await().until(() -> pool.queue.messages() == 0);
        assertThat(pool.lastEvent(task.uid()).orElseThrow().kind()).isEqualTo(Kind.COMPLETED);
    }

    @Test
    void aMessageOfAStreamThatWasMadeAnewIsNotTakenForTheOldOne() throws Exception {
        final AgentTask task = pool.queued("task", 1, 1);
        pool.publish(task, 1);
        pool.queue.exhaust(2);
        await().until(() -> advisories() == 1);
        pool.connections.queue().delete(ServedPool.STREAM);
        pool.makeQueue();
        assertThat(pool.publish(task, 1)).isEqualTo(1);
        open();
        awaitAllAcknowledged();
        assertThat(pool.queue.messages()).isEqualTo(1);
        assertThat(pool.deadLetters()).isZero();
        assertThat(pool.lastEvent(task.uid())).isEmpty();
    }

    @Test
    void aPoolThatIsNotServedHereIsLeftAlone() throws Exception {
        pool.pools
                .get(io.javaoperatorsdk.operator.processing.event.ResourceID.fromResource(
                        pool.pools.list().findFirst().orElseThrow()))
                .orElseThrow()
                .setStatus(null);
        pool.queue.publishOutside("theirs");
        pool.queue.exhaust(2);
        open();
        awaitAllAcknowledged();
        assertThat(pool.queue.messages()).isEqualTo(1);
        assertThat(pool.deadLetters()).isZero();
    }

    @Test
    void cutBetweenDeadLetterAndOutcomeItIsBegunAgain() throws Exception {
        final AgentTask task = pool.queued("task", 1, 1);
        pool.publish(task, 1);
        pool.queue.exhaust(2);
        // No outcome can be written, and the consumer that would make the stream again is not there.
        pool.client.jetStreamManagement().deleteStream(Subjects.EVENTS_STREAM);
        final OperatorEvents events = new OperatorEvents(pool.key, Clock.systemUTC());
        final Burial burial = new Burial(pool.connections, events, pool.key, ServedPool.INSTALLATION);
        final PoolQueues.PoolQueue queue =
                new PoolQueues(pool.poolIndex()).of(ServedPool.STREAM).orElseThrow();
        org.assertj.core.api.Assertions.assertThatThrownBy(() -> burial.bury(queue, 1))
                .isInstanceOf(dev.codeforge.jetstream.QueueUnavailableException.class);
        assertThat(pool.deadLetters()).isEqualTo(1);
        assertThat(pool.queue.messages()).isEqualTo(1);
        pool.makeStreams();
        open();
        await().until(() -> pool.queue.messages() == 0);
        assertThat(pool.deadLetters()).isEqualTo(1);
        assertThat(pool.lastEvent(task.uid()).orElseThrow().kind()).isEqualTo(Kind.FAILED);
    }

    @Test
    void aTaskWhoseMessageAWorkerTerminatedFailsWithTheReason() throws Exception {
        final AgentTask task = pool.queued("task", 1, 1);
        pool.publish(task, 1);
        open();
        terminate("+TERM Unparsable");
        await().until(() -> pool.lastEvent(task.uid()).isPresent());
        final TaskEvent outcome = pool.lastEvent(task.uid()).orElseThrow();
        assertThat(outcome.kind()).isEqualTo(Kind.FAILED);
        assertThat(outcome.failure().type()).isEqualTo("Unparsable");
    }

    @Test
    void aReasonThatIsNoTypeIsToldInTheMessage() throws Exception {
        final AgentTask task = pool.queued("task", 3, 1);
        pool.publish(task, 3);
        open();
        terminate("+TERM somebody pressed a key");
        await().until(() -> pool.lastEvent(task.uid()).isPresent());
        final TaskEvent outcome = pool.lastEvent(task.uid()).orElseThrow();
        assertThat(outcome.attempt()).isEqualTo(3);
        assertThat(outcome.failure().type()).isEqualTo("MessageTerminated");
        assertThat(outcome.failure().message()).contains("somebody pressed a key");
    }

    @Test
    void aStatusThatComesAfterTheAdvisoryIsWaitedFor() throws Exception {
        final AgentTask early = pool.task("task", "\"attempts\":0");
        pool.publish(early, 1);
        open();
        terminate("+TERM Unparsable");
        await().until(() -> held() == 1);
        early.setStatus(pool.queued("other", 1, 1).getStatus());
        pool.tasks.put(early);
        pool.task("other", "\"attempts\":0");
        await().atMost(PATIENCE).until(() -> pool.lastEvent(early.uid()).isPresent());
        assertThat(pool.lastEvent(early.uid()).orElseThrow().failure().type()).isEqualTo("Unparsable");
    }

    @Test
    void aMessageThatWasRemovedOnPurposeEndsNothing() throws Exception {
        final AgentTask task = pool.queued("task", 1, 1);
        pool.publish(task, 1);
        pool.queue.take();
        pool.connections.queue().remove(ServedPool.STREAM, 1);
        await().until(() -> advisories() == 1);
        open();
        awaitAllAcknowledged();
        assertThat(pool.lastEvent(task.uid())).isEmpty();
    }

    @Test
    void aTerminationInAStreamThatWasMadeAnewEndsNothingInTheNewOne() throws Exception {
        pool.queue.publishOutside("old");
        terminate("+TERM Unparsable");
        await().until(() -> advisories() == 1);
        pool.connections.queue().delete(ServedPool.STREAM);
        pool.makeQueue();
        final AgentTask task = pool.queued("task", 1, 1);
        assertThat(pool.publish(task, 1)).isEqualTo(1);
        open();
        awaitAllAcknowledged();
        assertThat(pool.lastEvent(task.uid())).isEmpty();
    }

    @Test
    void anOutsideMessageThatWasTerminatedIsForgottenSoon() throws Exception {
        pool.queue.publishOutside(UUID.randomUUID().toString());
        open();
        terminate("+TERM InvalidTaskId");
        await().until(() -> held() == 1);
        await().atMost(PATIENCE).until(() -> held() == 0);
        assertThat(pool.deadLetters()).isZero();
    }

    private void terminate(String how) throws Exception {
        final Message message = pool.queue.take();
        pool.client.publish(message.getReplyTo(), how.getBytes());
        pool.client.flush(PATIENCE);
    }

    private long advisories() throws Exception {
        return pool.client
                .jetStreamManagement()
                .getStreamInfo(Subjects.ADVISORIES_STREAM)
                .getStreamState()
                .getMsgCount();
    }

    /** Advisories that were handed over and are not acknowledged. */
    private long held() throws Exception {
        return consumer().getNumAckPending();
    }

    private void awaitAllAcknowledged() {
        await().atMost(PATIENCE)
                .until(() -> consumer().getAckFloor().getStreamSequence() == advisories() && advisories() > 0);
    }

    private io.nats.client.api.ConsumerInfo consumer() throws Exception {
        return pool.client
                .jetStreamManagement()
                .getConsumerInfo(Subjects.ADVISORIES_STREAM, "operator-" + ServedPool.INSTALLATION);
    }
}
