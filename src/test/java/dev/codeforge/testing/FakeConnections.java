package dev.codeforge.testing;

import dev.codeforge.jetstream.Advisories;
import dev.codeforge.jetstream.CasBucket;
import dev.codeforge.jetstream.Connections;
import dev.codeforge.jetstream.Consumption;
import dev.codeforge.jetstream.DeadLetters;
import dev.codeforge.jetstream.Files;
import dev.codeforge.jetstream.PoolConfigs;
import dev.codeforge.jetstream.PoolStreams;
import dev.codeforge.jetstream.QueueCensus;
import dev.codeforge.jetstream.QueueUnavailableException;
import dev.codeforge.jetstream.RequestReply;
import dev.codeforge.jetstream.Results;
import dev.codeforge.jetstream.Results.StoredEvent;
import dev.codeforge.jetstream.TaskQueue;
import dev.codeforge.jetstream.TaskQueue.OutgoingTask;
import dev.codeforge.jetstream.TaskQueue.PublishOutcome;
import dev.codeforge.jetstream.TaskQueue.QueuedTask;
import dev.codeforge.jetstream.TaskQueue.StandingMessage;
import dev.codeforge.jetstream.WorkerControl;
import dev.codeforge.wire.DispatchKey;
import dev.codeforge.wire.Headers;
import dev.codeforge.wire.LedgerRecord;
import dev.codeforge.wire.SessionRecord;
import dev.codeforge.wire.Subjects;
import dev.codeforge.wire.TaskEvent;
import dev.codeforge.wire.TaskRef;
import dev.codeforge.wire.UnreadableMessageException;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/** NATS in memory, for tests of what the API server does wrong; what NATS itself does is tested against the real one. */
public final class FakeConnections implements Connections {
    /** Who answers for the workers. */
    public WorkerControl workers = new NoWorkers();

    private final Map<String, StandingMessage> standing = new ConcurrentHashMap<>();
    private final Map<TaskRef, StoredEvent> events = new ConcurrentHashMap<>();
    private final Map<Long, StoredEvent> all = new ConcurrentHashMap<>();
    private final List<Long> acknowledged = new CopyOnWriteArrayList<>();
    private final List<Consumer<Results.Delivery>> consumers = new CopyOnWriteArrayList<>();
    private final AtomicLong sequence = new AtomicLong();
    private final AtomicLong uses = new AtomicLong();
    private final List<Runnable> onConnect = new CopyOnWriteArrayList<>();
    private volatile boolean connected = true;
    private volatile Optional<QueueUnavailableException> refusal = Optional.empty();
    private final DispatchKey key;

    public FakeConnections(DispatchKey key) {
        this.key = key;
    }

    /** Stores an event as its worker would, hands it to the consumers and returns its sequence. */
    public long report(TaskEvent event) {
        final byte[] body = event.toJson();
        return store(refOf(event), body, key.proof(event.taskId(), event.attempt(), body));
    }

    /** Stores an event as somebody who does not know the dispatch id would. */
    public long forge(TaskEvent event) {
        return store(refOf(event), event.toJson(), "0".repeat(64));
    }

    /** Hands an event to the consumers once more. */
    public void redeliver(long at) {
        consumers.forEach(consumer -> consumer.accept(new InMemoryDelivery(all.get(at))));
    }

    /** Answers each use of the queue with this, until it is empty again. */
    public void refuse(Optional<QueueUnavailableException> answer) {
        refusal = answer;
    }

    /** Sequences of the events that were acknowledged. */
    public List<Long> acknowledged() {
        return List.copyOf(acknowledged);
    }

    public Set<String> standingSubjects() {
        return Set.copyOf(standing.keySet());
    }

    /** Its task's pool, which the name of the pool's stream tells. */
    private static TaskRef refOf(TaskEvent event) {
        final String[] names = event.stream().split("_");
        return new TaskRef(names[1], names[2], event.taskId());
    }

    private long store(TaskRef task, byte[] body, String proof) {
        final StoredEvent event = new StoredEvent(task, sequence.incrementAndGet(), timeOf(body), body, proof);
        events.put(task, event);
        all.put(event.sequence(), event);
        consumers.forEach(consumer -> consumer.accept(new InMemoryDelivery(event)));
        return event.sequence();
    }

    /** All clocks agree. */
    private static Instant timeOf(byte[] body) {
        try {
            return TaskEvent.parse(body).time();
        } catch (UnreadableMessageException e) {
            throw new IllegalArgumentException(e);
        }
    }

    private final class InMemoryDelivery implements Results.Delivery {
        private final StoredEvent event;

        InMemoryDelivery(StoredEvent event) {
            this.event = event;
        }

        @Override
        public StoredEvent event() {
            return event;
        }

        @Override
        public void ack() {
            acknowledged.add(event.sequence());
        }
    }

    @Override
    public boolean isLost() {
        return false;
    }

    @Override
    public TaskQueue queue() {
        uses.incrementAndGet();
        if (!connected) {
            throw new QueueUnavailableException("NATS is not connected, as the test wants it");
        }
        refusal.ifPresent(answer -> {
            throw answer;
        });
        return new InMemoryQueue();
    }

    private final class InMemoryQueue implements TaskQueue {
        @Override
        public boolean owns(String stream, String installation) {
            return true;
        }

        @Override
        public TaskQueue.Sample ensure(TaskQueue.Settings settings) {
            return new TaskQueue.Sample(standing.size(), 0, false);
        }

        @Override
        public Optional<TaskQueue.Inspection> inspect(TaskQueue.Settings wanted) {
            return Optional.of(new TaskQueue.Inspection(ensure(wanted), true));
        }

        @Override
        public Optional<TaskQueue.Sample> sample(String stream) {
            return Optional.of(new TaskQueue.Sample(standing.size(), 0, false));
        }

        @Override
        public Optional<StandingMessage> standing(String stream, String subject) {
            return Optional.ofNullable(standing.get(subject));
        }

        @Override
        public PublishOutcome publish(String stream, OutgoingTask task) {
            final long next = sequence.incrementAndGet();
            final StandingMessage message =
                    new StandingMessage(next, task.headers().get(Headers.INSTALLATION), "", "", 1);
            return standing.putIfAbsent(task.subject(), message) == null
                    ? new PublishOutcome.Stored(next)
                    : new PublishOutcome.Occupied();
        }

        @Override
        public void purge(String stream, String subject) {
            standing.remove(subject);
        }

        @Override
        public void remove(String stream, long at) {
            standing.values().removeIf(message -> message.sequence() == at);
        }

        @Override
        public Set<String> standingSubjects(String stream) {
            return FakeConnections.this.standingSubjects();
        }

        @Override
        public Optional<QueuedTask> at(String stream, long at) {
            return standing.entrySet().stream()
                    .filter(entry -> entry.getValue().sequence() == at)
                    .map(entry -> new QueuedTask(at, Subjects.taskIdOfMessage(entry.getKey()), Instant.EPOCH))
                    .findFirst();
        }

        @Override
        public Optional<QueueCensus> census(String stream) {
            return Optional.of(new QueueCensus(0, 0, List.of()));
        }

        @Override
        public void delete(String stream) {
            standing.clear();
        }
    }

    @Override
    public Results results() {
        return new InMemoryResults();
    }

    private final class InMemoryResults implements Results {
        @Override
        public Optional<String> problem() {
            return Optional.empty();
        }

        @Override
        public Optional<StoredEvent> last(TaskRef task) {
            return Optional.ofNullable(events.get(task));
        }

        @Override
        public Map<TaskRef, StoredEvent> lastOf(Collection<TaskRef> tasks) {
            return events.entrySet().stream()
                    .filter(entry -> tasks.contains(entry.getKey()))
                    .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
        }

        @Override
        public Optional<Long> append(TaskRef task, String eventId, byte[] body, String proof, long expectedSequence) {
            final long last = last(task).map(StoredEvent::sequence).orElse(0L);
            return last == expectedSequence ? Optional.of(store(task, body, proof)) : Optional.empty();
        }

        @Override
        public Consumption consume(Consumer<Delivery> onEvent) {
            consumers.add(onEvent);
            return new Consumption() {
                @Override
                public boolean isAlive() {
                    return true;
                }

                @Override
                public void close() {
                    consumers.remove(onEvent);
                }
            };
        }
    }

    @Override
    public WorkerControl workers() {
        return workers;
    }

    @Override
    public DeadLetters deadLetters() {
        throw notUsed("dead letters");
    }

    @Override
    public CasBucket<LedgerRecord> ledger() {
        throw notUsed("the ledger");
    }

    @Override
    public CasBucket<SessionRecord> sessions() {
        throw notUsed("sessions");
    }

    @Override
    public CasBucket<String> releases() {
        throw notUsed("releases");
    }

    @Override
    public PoolStreams poolStreams() {
        throw notUsed("streams of pools that are gone");
    }

    @Override
    public PoolConfigs configs() {
        throw notUsed("settings");
    }

    @Override
    public Files files() {
        throw notUsed("files");
    }

    @Override
    public Advisories advisories() {
        throw notUsed("advisories");
    }

    @Override
    public RequestReply requests() {
        throw notUsed("requests");
    }

    private static UnsupportedOperationException notUsed(String what) {
        return new UnsupportedOperationException("no test with a fake NATS looks at " + what);
    }

    @Override
    public int connects() {
        return 1;
    }

    @Override
    public Instant time() {
        return Instant.now();
    }

    @Override
    public boolean isConnected() {
        return connected;
    }

    @Override
    public void onConnect(Runnable action) {
        onConnect.add(action);
    }

    /** From now on nothing is answered, until {@link #connect}. */
    public void disconnect() {
        connected = false;
    }

    public void connect() {
        connected = true;
        onConnect.forEach(Runnable::run);
    }

    /** How often somebody has tried to use a queue. */
    public long uses() {
        return uses.get();
    }

    @Override
    public void close() {
        consumers.clear();
    }
}
