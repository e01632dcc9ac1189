package dev.codeforge.testing;

import static dev.codeforge.testing.Patience.PATIENCE;

import dev.codeforge.wire.Headers;
import dev.codeforge.wire.Subjects;
import io.nats.client.Connection;
import io.nats.client.ConsumerContext;
import io.nats.client.JetStreamApiException;
import io.nats.client.Message;
import io.nats.client.api.ConsumerConfiguration;
import io.nats.client.api.StreamState;
import io.nats.client.impl.NatsMessage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/** A pool's stream in a test's hands: its messages are published, taken, exhausted and terminated as the test wants. */
public final class PoolQueue {
    private final Connection nats;
    private final String stream;
    private final String subject;

    /** The stream exists. */
    public PoolQueue(Connection nats, String stream, String subject) {
        this.nats = nats;
        this.stream = stream;
        this.subject = subject;
    }

    /** Publishes as an outside producer does and returns the sequence. */
    public long publishOutside(String taskId) throws IOException, JetStreamApiException {
        return nats.jetStream()
                .publish(
                        subject,
                        "{\"task_id\":\"%s\",\"prompt\":\"p\"}"
                                .formatted(taskId)
                                .getBytes(StandardCharsets.UTF_8))
                .getSeqno();
    }

    /** Publishes as an operator does and returns the sequence. */
    public long publishOurs(String taskId, String installation, int attempt, String dispatchId)
            throws IOException, JetStreamApiException {
        final io.nats.client.impl.Headers headers = new io.nats.client.impl.Headers();
        headers.put(Headers.INSTALLATION, installation);
        headers.put(Headers.NAMESPACE, "ns");
        headers.put(Headers.NAME, "task");
        return nats.jetStream()
                .publish(NatsMessage.builder()
                        .subject(subject + "." + taskId)
                        .headers(headers)
                        .data("{\"task_id\":\"%s\",\"prompt\":\"p\",\"attempt\":%d,\"dispatch_id\":\"%s\"}"
                                .formatted(taskId, attempt, dispatchId))
                        .build())
                .getSeqno();
    }

    /** The next message; it is redelivered after the consumer's ack wait. */
    public Message take() throws Exception {
        final Message message = consumer().next(PATIENCE);
        if (message == null) {
            throw new AssertionError("no message came within 10 s");
        }
        return message;
    }

    private ConsumerContext consumer() throws IOException, JetStreamApiException {
        return nats.getConsumerContext(stream, Subjects.WORKERS_DURABLE);
    }

    /** Sets how often a message is handed out. */
    public void maxDeliver(int times) throws IOException, JetStreamApiException {
        final var management = nats.jetStreamManagement();
        management.updateConsumer(
                stream,
                ConsumerConfiguration.builder(management
                                .getConsumerInfo(stream, Subjects.WORKERS_DURABLE)
                                .getConsumerConfiguration())
                        .maxDeliver(times)
                        .build());
    }

    /** Takes the next message and gives it back until it is exhausted; a last pull makes the server say so. */
    public void exhaust(int times) throws Exception {
        maxDeliver(times);
        for (int i = 0; i < times; i++) {
            take().nak();
        }
        nats.flush(PATIENCE);
        final Message beyond = consumer().next(Duration.ofSeconds(1));
        if (beyond != null) {
            throw new AssertionError("message " + beyond.metaData().streamSequence() + " was not exhausted");
        }
    }

    public long messages() throws IOException, JetStreamApiException {
        return state().getMsgCount();
    }

    private StreamState state() throws IOException, JetStreamApiException {
        return nats.jetStreamManagement().getStreamInfo(stream).getStreamState();
    }
}
