package dev.codeforge.jetstream;

import io.nats.client.ConsumerContext;
import io.nats.client.Message;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Takes one message after another from the operator's durable on a shared stream, for ever, through every outage. */
final class DurableConsumer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(DurableConsumer.class);
    /** A pull that waits over a restart of the server is lost: keep it short. */
    private static final Duration PULL = Duration.ofSeconds(5);

    private static final Duration PAUSE = Duration.ofMillis(100);

    private final NatsConnection nats;
    private final SharedStreams streams;
    private final String stream;
    private final String name;
    private final Consumer<Message> onMessage;
    private final Thread thread;
    private volatile boolean closed;

    /** @param name of the thread, and in the log */
    DurableConsumer(
            NatsConnection nats, SharedStreams streams, String stream, String name, Consumer<Message> onMessage) {
        this.nats = nats;
        this.streams = streams;
        this.stream = stream;
        this.name = name;
        this.onMessage = onMessage;
        this.thread = Thread.ofPlatform().name(name).daemon().start(this::run);
    }

    private void run() {
        while (!closed) {
            try {
                streams.ensure();
                pull();
            } catch (QueueUnavailableException e) {
                LOG.debug("{} are away: {}", name, e.toString());
            } catch (RuntimeException e) {
                // Without this thread no task would ever end: whatever it was, go on.
                LOG.error("taking {} failed, it is tried again", name, e);
            }
            LockSupport.parkNanos(Duration.ofMillis(ThreadLocalRandom.current().nextLong(500, 1500))
                    .toNanos());
        }
    }

    private void pull() {
        final ConsumerContext consumer =
                nats.use(connection -> connection.getConsumerContext(stream, streams.operatorDurable()));
        while (!closed) {
            final Optional<Message> message = nats.use(connection -> Optional.ofNullable(consumer.next(PULL)));
            if (message.isPresent()) {
                onMessage.accept(message.get());
            } else {
                // An empty queue answers after the pull's time, a missing one at once: make it again, and never spin.
                streams.ensure();
                LockSupport.parkNanos(PAUSE.toNanos());
            }
        }
    }

    /** Answers for a message; not connected, it comes again and is answered then. */
    static void answer(Message message, Consumer<Message> how) {
        try {
            how.accept(message);
        } catch (IllegalStateException e) {
            LOG.debug("acknowledgement postponed: {}", e.getMessage());
        }
    }

    @Override
    public void close() {
        closed = true;
        thread.interrupt();
    }
}
