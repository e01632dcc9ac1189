package dev.codeforge.jetstream;

import dev.codeforge.wire.Subjects;
import io.nats.client.ConsumerContext;
import io.nats.client.JetStreamApiException;
import io.nats.client.JetStreamStatusCheckedException;
import io.nats.client.Message;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Takes one event after another from the operator's durable, for ever, through every outage. */
final class ResultsConsumer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ResultsConsumer.class);
    /** A pull that waits over a restart of the server is lost: keep it short. */
    private static final Duration PULL = Duration.ofSeconds(5);

    private static final long PAUSE_MILLIS = 100;

    private final NatsConnection nats;
    private final SharedStreams streams;
    private final Consumer<Results.Delivery> onEvent;
    private final Thread thread;
    private volatile boolean closed;

    ResultsConsumer(NatsConnection nats, SharedStreams streams, Consumer<Results.Delivery> onEvent) {
        this.nats = nats;
        this.streams = streams;
        this.onEvent = onEvent;
        this.thread = Thread.ofPlatform().name("results").daemon().start(this::run);
    }

    private void run() {
        while (!closed) {
            try {
                streams.ensure();
                pull();
            } catch (InterruptedException e) {
                return;
            } catch (IOException
                    | JetStreamApiException
                    | JetStreamStatusCheckedException
                    | IllegalStateException
                    | QueueUnavailableException e) {
                LOG.debug("results are away: {}", e.toString());
            } catch (RuntimeException e) {
                // Without this thread no task would ever end: whatever it was, go on.
                LOG.error("taking results failed, it is tried again", e);
            }
            if (!pause()) {
                return;
            }
        }
    }

    private void pull()
            throws IOException, JetStreamApiException, JetStreamStatusCheckedException, InterruptedException {
        final ConsumerContext consumer =
                nats.connected().getConsumerContext(Subjects.RESULTS_STREAM, streams.operatorDurable());
        while (!closed) {
            final Message message = consumer.next(PULL);
            if (message == null) {
                // An empty queue answers after the pull's time, a missing one at once: make it again, and never spin.
                streams.ensure();
                Thread.sleep(PAUSE_MILLIS);
                continue;
            }
            onEvent.accept(new Held(message));
        }
    }

    private boolean pause() {
        try {
            Thread.sleep(ThreadLocalRandom.current().nextLong(500, 1500));
            return true;
        } catch (InterruptedException e) {
            return false;
        }
    }

    @Override
    public void close() {
        closed = true;
        thread.interrupt();
    }

    private record Held(Message message) implements Results.Delivery {
        @Override
        public StoredEvent event() {
            return NatsResults.stored(
                    message.getSubject(), message.metaData().streamSequence(), message.getData(), message.getHeaders());
        }

        @Override
        public void ack() {
            try {
                message.ack();
            } catch (IllegalStateException e) {
                // Not connected: the event comes again and is acknowledged then.
                LOG.debug("acknowledgement postponed: {}", e.getMessage());
            }
        }
    }
}
