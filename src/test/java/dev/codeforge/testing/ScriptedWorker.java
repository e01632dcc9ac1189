package dev.codeforge.testing;

import static dev.codeforge.testing.Patience.PATIENCE;

import dev.codeforge.wire.Headers;
import dev.codeforge.wire.Subjects;
import dev.codeforge.wire.TaskEvent;
import dev.codeforge.wire.TaskMessage;
import dev.codeforge.wire.TaskRef;
import io.nats.client.Connection;
import io.nats.client.Message;
import io.nats.client.PublishOptions;
import io.nats.client.impl.NatsMessage;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.UUID;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** Plays a worker step by step, so that a test decides when each event is written. The real one is tested in Python. */
public final class ScriptedWorker implements AutoCloseable {
    private final Connection nats;
    private final String namespace;
    private final String pool;
    private final String stream;
    private final String name;
    private Message message;
    private TaskMessage task;
    private String saved;
    private String printed = "hello";

    public ScriptedWorker(TestNats server, String namespace, String pool) throws Exception {
        this(server, namespace, pool, "worker-0");
    }

    /** @param name of its pod */
    public ScriptedWorker(TestNats server, String namespace, String pool, String name) throws Exception {
        nats = server.connect();
        this.name = name;
        this.namespace = namespace;
        this.pool = pool;
        stream = Subjects.poolStream(namespace, pool);
    }

    /** Takes the next task. */
    public TaskMessage take() throws Exception {
        message = nats.getConsumerContext(stream, Subjects.WORKERS_DURABLE).next(PATIENCE);
        if (message == null) {
            throw new AssertionError("no task came within 10 s");
        }
        task = TaskMessage.parse(message.getData());
        return task;
    }

    public void write(TaskEvent.Kind kind) throws Exception {
        write(kind, null, task.dispatchId());
    }

    public void fail(String type, String text) throws Exception {
        write(TaskEvent.Kind.FAILED, new TaskEvent.Failure(type, text, false), task.dispatchId());
    }

    public void failSoThatItMayBeRetried(String type, String text) throws Exception {
        write(TaskEvent.Kind.FAILED, new TaskEvent.Failure(type, text, true), task.dispatchId());
    }

    public void failAndAskToWait(String type, String text, long seconds) throws Exception {
        write(TaskEvent.Kind.FAILED, new TaskEvent.Failure(type, text, true, seconds), task.dispatchId());
    }

    /** Tells of it with every event from now on. */
    public void save(String checkpoint) {
        saved = checkpoint;
    }

    /** The output of the outcome, as JSON writes it: also what is no text. */
    public void print(String json) {
        printed = json;
    }

    /** Writes an event as somebody who does not know the dispatch id would. */
    public void forge(TaskEvent.Kind kind) throws Exception {
        write(kind, null, "0".repeat(64));
    }

    private void write(TaskEvent.Kind kind, TaskEvent.Failure failure, String dispatchId) throws Exception {
        final Instant now = Instant.now();
        final TaskMessage.Spent spent = task.spent();
        final TaskEvent.Usage used = new TaskEvent.Usage(
                spent.tokensIn() + 3,
                spent.tokensOut() + 4,
                new BigDecimal(spent.costUsd()).add(new BigDecimal("0.05")).toPlainString());
        final TaskEvent event = new TaskEvent(
                task.taskId(),
                task.projectId(),
                kind.name().toLowerCase(java.util.Locale.ROOT),
                kind,
                UUID.randomUUID().toString(),
                task.attempt(),
                1,
                stream,
                message.metaData().streamSequence(),
                name,
                now,
                now,
                kind.isTerminal() ? now : null,
                kind.isTerminal() ? "hello" : "",
                List.of(),
                failure == null ? "" : failure.message(),
                used.tokensIn(),
                used.tokensOut(),
                new BigDecimal(used.costUsd()),
                used,
                kind.isTerminal() ? new TaskEvent.Result("done", 0, null, null) : null,
                failure,
                saved);
        final byte[] body = new String(event.toJson(), StandardCharsets.UTF_8)
                .replace("\"output\":\"hello\"", "\"output\":\"" + printed + "\"")
                .getBytes(StandardCharsets.UTF_8);
        final io.nats.client.impl.Headers headers = new io.nats.client.impl.Headers();
        headers.put(Headers.PROOF, hmac(dispatchId, body));
        nats.jetStream()
                .publish(
                        NatsMessage.builder()
                                .subject(Subjects.events(new TaskRef(namespace, pool, task.taskId())))
                                .headers(headers)
                                .data(body)
                                .build(),
                        PublishOptions.builder().messageId(event.eventId()).build());
    }

    public void ack() throws Exception {
        message.ackSync(PATIENCE);
    }

    private static String hmac(String key, byte[] body) throws Exception {
        final Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(key.getBytes(StandardCharsets.US_ASCII), "HmacSHA256"));
        return HexFormat.of().formatHex(mac.doFinal(body));
    }

    @Override
    public void close() throws Exception {
        nats.close();
    }
}
