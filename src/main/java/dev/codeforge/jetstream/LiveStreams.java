package dev.codeforge.jetstream;

import dev.codeforge.wire.TaskRef;
import java.util.List;

/**
 * Events and log lines for viewers: heard over core NATS, where the streams RESULTS and LOGS republish them, and read
 * from these streams without a consumer. Each read throws {@link QueueUnavailableException} when NATS is away.
 */
public interface LiveStreams extends AutoCloseable {
    /**
     * A message of one of the two streams.
     *
     * @param sequence in its stream
     * @param previous the sequence of the message before it: of all events, or of the lines of one task
     */
    record Entry(TaskRef task, long sequence, long previous, byte[] body) {}

    /** Receives events and lines, on one thread. */
    interface Listener {
        /**
         * The subscriptions are in place, for the first time or after a reconnect. Earlier messages may have been
         * missed.
         */
        void connected();

        void event(Entry event);

        void line(Entry line);
    }

    /** Subscribes to all events, and to the lines of watched tasks. */
    void listen(Listener listener);

    /**
     * Subscribes to a task's lines before it returns. While NATS is away, the subscription starts when NATS returns.
     */
    void watchLines(TaskRef task);

    void leaveLines(TaskRef task);

    boolean isConnected();

    /** NATS has refused the credentials for good: only a new process reads new ones. */
    boolean isLost();

    /** Events of all tasks in order, the first ones after this sequence; none when there are no more. */
    List<Entry> eventsAfter(long sequence);

    /** Lines of a task in order, the first ones after this sequence; none when there are no more. */
    List<Entry> linesAfter(TaskRef task, long sequence);

    /** Whether the stream still has an event at this sequence. */
    boolean hasEvent(long sequence);

    /** Whether the stream still has a line of this task at this sequence. */
    boolean hasLine(TaskRef task, long sequence);

    /** The sequence of the last event of all; 0 when there is none. */
    long lastEvent();

    /** The sequence of a task's last line; 0 when there is none. */
    long lastLine(TaskRef task);

    @Override
    void close();

    /** Reads and subscribes as the user {@code console}. */
    static LiveStreams of(NatsAccess access, String clientName) {
        return new NatsLiveStreams(access, clientName);
    }
}
