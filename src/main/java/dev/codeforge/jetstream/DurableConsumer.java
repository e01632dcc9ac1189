package dev.codeforge.jetstream;

import io.nats.client.ConsumerContext;
import io.nats.client.FetchConsumeOptions;
import io.nats.client.FetchConsumer;
import io.nats.client.JetStreamApiException;
import io.nats.client.JetStreamStatusCheckedException;
import io.nats.client.Message;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Consumes the operator's durable on a shared stream, in batches and in order, through every outage. */
final class DurableConsumer implements Consumption {
    private static final Logger LOG = LoggerFactory.getLogger(DurableConsumer.class);
    /** A pull is lost when the server restarts, so keep it short. */
    private static final Duration PULL = Duration.ofSeconds(5);

    private static final Duration PAUSE = Duration.ofMillis(100);
    /** A batch ends with its messages or with its time: each one is handed over as it comes. */
    private static final int BATCH = 256;

    /** Far longer than a pull and than all that is done with a batch. */
    private static final Duration ALIVE = Duration.ofMinutes(5);

    private final NatsConnection nats;
    private final SharedStreams streams;
    private final String stream;
    private final String name;
    private final Consumer<Message> onMessage;
    private volatile long roundSince = System.nanoTime();
    private volatile boolean closed;

    /** @param name of the thread and in the log */
    DurableConsumer(
            NatsConnection nats, SharedStreams streams, String stream, String name, Consumer<Message> onMessage) {
        this.nats = nats;
        this.streams = streams;
        this.stream = stream;
        this.name = name;
        this.onMessage = onMessage;
        Thread.ofPlatform().name(name).daemon().start(this::run);
    }

    private void run() {
        while (!closed) {
            roundSince = System.nanoTime();
            try {
                streams.ensure();
                pull();
            } catch (QueueUnavailableException e) {
                LOG.debug("{} are away: {}", name, e.toString());
            } catch (RuntimeException e) {
                // Keep this thread alive after any error: without it no task would ever end.
                LOG.error("consuming {} failed and is retried", name, e);
            }
            LockSupport.parkNanos(Duration.ofMillis(ThreadLocalRandom.current().nextLong(500, 1500))
                    .toNanos());
        }
    }

    private void pull() {
        final ConsumerContext consumer =
                nats.use(connection -> connection.getConsumerContext(stream, streams.operatorDurable()));
        while (!closed) {
            roundSince = System.nanoTime();
            if (!nats.use(connection -> take(consumer))) {
                // An empty queue answers after the pull's time, a missing one at once: recreate it, and never spin.
                streams.ensure();
                LockSupport.parkNanos(PAUSE.toNanos());
            }
        }
    }

    /** @return whether a message arrived */
    private boolean take(ConsumerContext consumer)
            throws IOException, JetStreamApiException, JetStreamStatusCheckedException, InterruptedException {
        final FetchConsumer batch = consumer.fetch(FetchConsumeOptions.builder()
                .maxMessages(BATCH)
                .expiresIn(PULL.toMillis())
                .build());
        boolean any = false;
        try {
            for (Message message = batch.nextMessage(); message != null; message = batch.nextMessage()) {
                any = true;
                roundSince = System.nanoTime();
                if (closed) {
                    // Released at once, so that the next consumer need not wait for the redelivery.
                    answer(message, Message::nak);
                } else {
                    onMessage.accept(message);
                }
            }
        } finally {
            end(batch);
        }
        return any;
    }

    private void end(FetchConsumer batch) {
        try {
            batch.close();
        } catch (Exception e) {
            LOG.debug("a batch of {} was not closed: {}", name, e.getMessage());
        }
    }

    /** Acknowledges a message. Without a connection it is delivered again and acknowledged then. */
    static void answer(Message message, Consumer<Message> how) {
        try {
            how.accept(message);
        } catch (IllegalStateException e) {
            LOG.debug("acknowledgement postponed: {}", e.getMessage());
        }
    }

    @Override
    public boolean isAlive() {
        return System.nanoTime() - roundSince < ALIVE.toNanos();
    }

    @Override
    public void close() {
        closed = true;
    }
}
