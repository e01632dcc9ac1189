package dev.codeforge.jetstream;

import dev.codeforge.wire.Subjects;
import dev.codeforge.wire.TaskRef;
import io.nats.client.Connection;
import io.nats.client.Dispatcher;
import io.nats.client.Message;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** {@link LiveStreams} over jnats. */
final class NatsLiveStreams implements LiveStreams {
    private static final Logger LOG = LoggerFactory.getLogger(NatsLiveStreams.class);
    private static final Duration TIMEOUT = Duration.ofSeconds(5);
    private static final long CONNECTION_CHECK_MILLIS = 200;
    private static final int BATCH = 500;
    private static final int BATCH_BYTES = 1 << 20;
    private static final String ALL_EVENTS = "results.*";
    /** The only inbox prefix that the user may subscribe to. */
    private static final String INBOX = "_INBOX_console.";

    private static final String LINES_SUFFIX = ".log";
    private static final String SEQUENCE = "Nats-Sequence";
    private static final String PREVIOUS_ON_SUBJECT = "Nats-Last-Sequence";
    private static final String SUBJECT = "Nats-Subject";
    /**
     * The header's fifth word is the subject on which the worker or the operator published; a word of the server
     * follows.
     */
    private static final String SOURCE = "Nats-Stream-Source";

    private static final int ORIGIN = 4;

    private final NatsConnection nats;
    private final DirectGet direct;
    private final Set<TaskRef> watched = ConcurrentHashMap.newKeySet();
    private final ScheduledExecutorService checks = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("live-connection").daemon().factory());
    /** The client closes a connection with more than two pings under way, and each flush is one. */
    private final ReentrantLock flushing = new ReentrantLock();

    private volatile Dispatcher dispatcher;
    private int seenConnects;

    NatsLiveStreams(NatsAccess access, String clientName) {
        this.nats = new NatsConnection(access, clientName, INBOX);
        this.direct = new DirectGet(nats);
    }

    @Override
    public void listen(Listener listener) {
        checks.scheduleWithFixedDelay(() -> check(listener), 0, CONNECTION_CHECK_MILLIS, TimeUnit.MILLISECONDS);
    }

    private void check(Listener listener) {
        try {
            final int connects = nats.connects();
            if (connects == seenConnects || !nats.isConnected()) {
                return;
            }
            final Connection connection = nats.connected();
            if (dispatcher == null) {
                final Dispatcher made = connection.createDispatcher(message -> hear(message, listener));
                made.subscribe(ALL_EVENTS);
                watched.forEach(task -> made.subscribe(linesOf(task)));
                dispatcher = made;
            }
            flush();
            seenConnects = connects;
            listener.connected();
        } catch (RuntimeException e) {
            // The timer drops a task that throws.
            LOG.info("the subscriptions are made again: {}", e.getMessage());
        }
    }

    private void flush() {
        nats.use(connection -> {
            flushing.lockInterruptibly();
            try {
                connection.flush(TIMEOUT);
            } finally {
                flushing.unlock();
            }
            return connection;
        });
    }

    private static void hear(Message message, Listener listener) {
        try {
            if (message.getSubject().endsWith(LINES_SUFFIX)) {
                listener.line(line(message, header(message, PREVIOUS_ON_SUBJECT)));
            } else {
                listener.event(event(message));
            }
        } catch (RuntimeException e) {
            // Without this, the client would drop the exception silently.
            LOG.warn("a message on {} is left out: {}", message.getSubject(), e.toString());
        }
    }

    /** Events have consecutive sequences in RESULTS, across all tasks. */
    private static Entry event(Message message) {
        final long sequence = Long.parseLong(header(message, SEQUENCE));
        return new Entry(taskOfEvent(message), sequence, sequence - 1, message.getData());
    }

    /**
     * Versions before the stream EVENTS wrote to RESULTS directly. What remains of that names no pool and is shown to
     * no client.
     */
    private static TaskRef taskOfEvent(Message message) {
        return Optional.ofNullable(message.getHeaders())
                .map(headers -> headers.getFirst(SOURCE))
                .map(source -> Subjects.taskOfEvent(source.split(" ")[ORIGIN]))
                .orElseGet(() -> new TaskRef("", "", ""));
    }

    private static Entry line(Message message, String previous) {
        return new Entry(
                Subjects.taskOfEvent(header(message, SUBJECT)),
                Long.parseLong(header(message, SEQUENCE)),
                Long.parseLong(previous),
                message.getData());
    }

    private static String header(Message message, String name) {
        final String value = message.hasHeaders() ? message.getHeaders().getFirst(name) : null;
        if (value == null) {
            throw new IllegalArgumentException("it has no header " + name);
        }
        return value;
    }

    private static String linesOf(TaskRef task) {
        return Subjects.results(task.id()) + LINES_SUFFIX;
    }

    @Override
    public void watchLines(TaskRef task) {
        watched.add(task);
        final Dispatcher made = dispatcher;
        if (made != null) {
            nats.use(connection -> made.subscribe(linesOf(task)));
            flush();
        }
    }

    @Override
    public void leaveLines(TaskRef task) {
        watched.remove(task);
        final Dispatcher made = dispatcher;
        // Two pools may have tasks with the same id.
        if (made != null && watched.stream().noneMatch(other -> other.id().equals(task.id()))) {
            made.unsubscribe(linesOf(task));
        }
    }

    @Override
    public boolean isConnected() {
        return dispatcher != null && nats.isConnected();
    }

    @Override
    public boolean isLost() {
        return nats.isLost();
    }

    @Override
    public List<Entry> eventsAfter(long sequence) {
        return after(Subjects.RESULTS_STREAM, ALL_EVENTS, sequence).stream()
                .map(NatsLiveStreams::event)
                .toList();
    }

    @Override
    public List<Entry> linesAfter(TaskRef task, long sequence) {
        final List<Entry> lines = new ArrayList<>();
        long previous = sequence;
        for (final Message message : after(Subjects.LOGS_STREAM, Subjects.lines(task), sequence)) {
            final Entry line = line(message, Long.toString(previous));
            previous = line.sequence();
            lines.add(line);
        }
        return lines;
    }

    private List<Message> after(String stream, String subject, long sequence) {
        return direct.batch(
                        stream,
                        Map.of("seq", sequence + 1, "next_by_subj", subject, "batch", BATCH, "max_bytes", BATCH_BYTES))
                .messages();
    }

    @Override
    public boolean hasEvent(long sequence) {
        return direct.at(Subjects.RESULTS_STREAM, sequence).isPresent();
    }

    @Override
    public boolean hasLine(TaskRef task, long sequence) {
        return direct.at(Subjects.LOGS_STREAM, sequence)
                .filter(message -> header(message, SUBJECT).equals(Subjects.lines(task)))
                .isPresent();
    }

    @Override
    public long lastEvent() {
        return last(Subjects.RESULTS_STREAM, ALL_EVENTS);
    }

    @Override
    public long lastLine(TaskRef task) {
        return last(Subjects.LOGS_STREAM, Subjects.lines(task));
    }

    private long last(String stream, String subject) {
        return direct.last(stream, subject)
                .map(message -> Long.parseLong(header(message, SEQUENCE)))
                .orElse(0L);
    }

    @Override
    public void close() {
        checks.shutdownNow();
        nats.close();
    }
}
