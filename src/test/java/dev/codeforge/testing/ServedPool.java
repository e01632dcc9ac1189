package dev.codeforge.testing;

import static dev.codeforge.testing.Patience.PATIENCE;
import static org.awaitility.Awaitility.await;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.api.WorkerPoolStatus;
import dev.codeforge.jetstream.Connections;
import dev.codeforge.jetstream.NatsConnections;
import dev.codeforge.jetstream.Results.StoredEvent;
import dev.codeforge.jetstream.StreamOwner;
import dev.codeforge.jetstream.TaskQueue;
import dev.codeforge.operator.index.PoolIndex;
import dev.codeforge.operator.index.TaskIndex;
import dev.codeforge.wire.DispatchKey;
import dev.codeforge.wire.Subjects;
import dev.codeforge.wire.TaskEvent;
import dev.codeforge.wire.TaskRef;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.nats.client.Connection;
import io.nats.client.Dispatcher;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.CopyOnWriteArrayList;

/** A pool with its queue on a real nats-server, and the caches of an operator that serves it, without an API server. */
public final class ServedPool implements AutoCloseable {
    public static final String INSTALLATION = "test-cluster";
    public static final String NAMESPACE = "ns";
    public static final String POOL = "pool";
    public static final String STREAM = Subjects.poolStream(NAMESPACE, POOL);
    private static final String SUBJECT = "tasks.test.pool";
    public static final WorkerPoolStatus.Queue PLACE = new WorkerPoolStatus.Queue(STREAM, SUBJECT, 0L, 0L);

    public final TestNats server = new TestNats();
    public final DispatchKey key = new DispatchKey(new byte[32]);
    public final Connections connections = new NatsConnections(server.endpoint(), INSTALLATION);
    public final Connection client = server.connect();
    public final InMemoryCache<WorkerPool> pools = new InMemoryCache<>(Map.of());
    public final InMemoryCache<AgentTask> tasks = new InMemoryCache<>(Map.of());
    public final PoolQueue queue = new PoolQueue(client, STREAM, SUBJECT);

    public ServedPool() throws Exception {
        makeStreams();
        makeQueue();
        final WorkerPool pool = Resources.pool(NAMESPACE, POOL, null);
        pool.setStatus(new WorkerPoolStatus(null, null, null, null, null, PLACE, null, null));
        pools.put(pool);
    }

    /** Makes the shared streams, or those that are missing. */
    public void makeStreams() throws Exception {
        try (AutoCloseable ignored = connections.results().consume(delivery -> {})) {
            await().until(() -> client.jetStreamManagement()
                    .getStreamNames()
                    .containsAll(
                            List.of(Subjects.EVENTS_STREAM, Subjects.DEADLETTERS_STREAM, Subjects.ADVISORIES_STREAM)));
            await().until(() -> connections.results().problem().isEmpty());
        }
    }

    /** Makes the pool's queue; a message may be silent for a second. */
    public void makeQueue() {
        connections
                .queue()
                .ensure(new TaskQueue.Settings(
                        STREAM,
                        SUBJECT,
                        false,
                        OptionalInt.empty(),
                        OptionalLong.empty(),
                        OptionalLong.empty(),
                        Duration.ofSeconds(1),
                        1000,
                        false,
                        new StreamOwner(INSTALLATION, false)));
    }

    public TaskIndex index() {
        return new TaskIndex().in(tasks);
    }

    public PoolIndex poolIndex() {
        return new PoolIndex().in(pools);
    }

    /** A task in the cache, as its status tells; {@code status} is JSON without its braces. */
    public AgentTask task(String name, String status) {
        final AgentTask task = Resources.task(NAMESPACE, name, POOL);
        task.setStatus(Serialization.unmarshal("{" + status + "}", AgentTaskStatus.class));
        tasks.put(task);
        return task;
    }

    /** A task in the cache whose message stands at this sequence. */
    public AgentTask queued(String name, int attempt, long sequence) {
        return task(
                name,
                """
                "phase":"Queued","attempts":%d,"queue":{"stream":"%s","sequence":%d}"""
                        .formatted(attempt, STREAM, sequence));
    }

    /** Publishes the task's message as its operator does and returns the sequence. */
    public long publish(AgentTask task, int attempt) throws Exception {
        return queue.publishOurs(task.uid(), INSTALLATION, attempt, key.dispatchId(task.uid(), attempt));
    }

    private static TaskRef ref(String taskId) {
        return new TaskRef(NAMESPACE, POOL, taskId);
    }

    /** The pool as the operator's cache has it. */
    public WorkerPool resource() {
        return pools.list().findFirst().orElseThrow();
    }

    /** Writes an event with its proof. */
    public void report(TaskEvent event) {
        final byte[] body = event.toJson();
        final long last = connections
                .results()
                .last(ref(event.taskId()))
                .map(StoredEvent::sequence)
                .orElse(0L);
        connections
                .results()
                .append(
                        ref(event.taskId()),
                        event.eventId(),
                        body,
                        key.proof(event.taskId(), event.attempt(), body),
                        last)
                .orElseThrow();
    }

    public Optional<TaskEvent> lastEvent(String taskId) {
        return connections
                .results()
                .last(ref(taskId))
                .flatMap(event -> TaskEvent.proven(key, taskId, event.body(), event.proof()));
    }

    /** Number of events of all tasks. */
    public long events() throws Exception {
        return client.jetStreamManagement()
                .getStreamInfo(Subjects.EVENTS_STREAM)
                .getStreamState()
                .getMsgCount();
    }

    public long deadLetters() {
        return connections.deadLetters().count(NAMESPACE, POOL);
    }

    /** Answers as the worker that runs the task, until it is closed. */
    public AutoCloseable hold(String taskId) throws Exception {
        final Dispatcher holder = client.createDispatcher(message -> client.publish(
                message.getReplyTo(),
                "{\"worker\":\"worker-0\",\"attempt\":1,\"delivery\":1}".getBytes(StandardCharsets.UTF_8)));
        holder.subscribe(Subjects.holder(ref(taskId)));
        client.flush(PATIENCE);
        return () -> client.closeDispatcher(holder);
    }

    /** Answers what the holder of the task is asked to do. @return the requests so far */
    public List<String> answerControl(AgentTask task, String answer) throws Exception {
        return answerControl(task, answer, () -> {});
    }

    /** @param afterwards is done after each answer */
    public List<String> answerControl(AgentTask task, String answer, Runnable afterwards) throws Exception {
        final List<String> orders = new CopyOnWriteArrayList<>();
        client.createDispatcher(message -> {
                    orders.add(new String(message.getData(), StandardCharsets.UTF_8));
                    client.publish(message.getReplyTo(), answer.getBytes(StandardCharsets.UTF_8));
                    afterwards.run();
                })
                .subscribe(Subjects.control(ref(task.uid())));
        client.flush(PATIENCE);
        return orders;
    }

    /** Requests on a subject, as the server sees them. */
    public List<String> requests(String subject) throws Exception {
        final List<String> seen = new CopyOnWriteArrayList<>();
        client.createDispatcher(message -> {
                    // By JS_SRC the server itself asks: a stream copies from another.
                    if (!message.getSubject().contains(".JS_SRC_")) {
                        seen.add(message.getSubject());
                    }
                })
                .subscribe(subject);
        client.flush(PATIENCE);
        return seen;
    }

    @Override
    public void close() {
        connections.close();
        try {
            client.close();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        server.close();
    }
}
