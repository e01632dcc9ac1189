package dev.codeforge.scenarios;

import dev.codeforge.testing.TestNats;
import dev.codeforge.wire.LedgerKey;
import dev.codeforge.wire.LedgerRecord;
import dev.codeforge.wire.Subjects;
import dev.codeforge.wire.TaskEvent;
import dev.codeforge.wire.TaskRef;
import io.nats.client.Connection;
import io.nats.client.JetStreamApiException;
import io.nats.client.JetStreamManagement;
import io.nats.client.KeyValue;
import io.nats.client.PurgeOptions;
import io.nats.client.api.MessageInfo;
import io.nats.client.api.StreamConfiguration;
import io.nats.client.api.StreamState;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** What a test sees and does at the nats-server itself, past all proxies. Errors of JetStream are unchecked here. */
final class Broker implements AutoCloseable {
    private static final int NO_MESSAGE = 10037;
    private final Connection connection;
    private final String namespace;

    Broker(TestNats nats, String namespace) throws Exception {
        this.connection = nats.connect();
        this.namespace = namespace;
    }

    @FunctionalInterface
    private interface Call<T> {
        T on(JetStreamManagement management) throws IOException, JetStreamApiException;
    }

    private <T> T ask(Call<T> call) {
        try {
            return call.on(connection.jetStreamManagement());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (JetStreamApiException e) {
            throw new IllegalStateException(e);
        }
    }

    /** As if NATS had lost the disk with the ledger. */
    void loseLedger() {
        ask(management -> management.purgeStream("KV_ledger"));
    }

    /** Number of keys that the ledger has. */
    long ledgerKeys() {
        return ask(management ->
                management.getStreamInfo("KV_ledger").getStreamState().getMsgCount());
    }

    /** Moves a key's entry in the ledger to where it was kept before a key told its installation. */
    void makeKeyOfAnEarlierVersion(String idempotencyKey) throws Exception {
        final KeyValue ledger = connection.keyValue("ledger");
        final String earlier = LedgerKey.ofEarlierVersions(namespace, idempotencyKey);
        for (final String key : ledger.keys()) {
            if (key.endsWith("." + earlier)) {
                ledger.put(earlier, ledger.get(key).getValue());
                ledger.purge(key);
            }
        }
    }

    /** What another cluster's operator of an earlier version had written of its own task under the same namespace and key. */
    void claimOfAnEarlierVersion(String idempotencyKey, String uid) throws Exception {
        connection
                .keyValue("ledger")
                .put(
                        LedgerKey.ofEarlierVersions(namespace, idempotencyKey),
                        new LedgerRecord(uid, namespace, "pool", "its-task", "hash", null).toJson());
    }

    private StreamState state(String pool) {
        return ask(management -> management.getStreamInfo(stream(pool)).getStreamState());
    }

    private String stream(String pool) {
        return Subjects.poolStream(namespace, pool);
    }

    /** Messages that the pool's stream ever took since it was made. */
    long stored(String pool) {
        return state(pool).getLastSequence();
    }

    /** Messages that stand in the pool's stream now. */
    long standing(String pool) {
        return state(pool).getMsgCount();
    }

    /** The names of all streams that are pools'. */
    List<String> poolStreams() {
        return ask(JetStreamManagement::getStreamNames).stream()
                .filter(name -> name.startsWith("tasks_"))
                .toList();
    }

    /** The names of all buckets for files. */
    List<String> buckets() {
        return ask(JetStreamManagement::getStreamNames).stream()
                .filter(name -> name.startsWith("OBJ_"))
                .toList();
    }

    /** A file in the pool's bucket, by the client's own object store, which verifies the checksum that is kept beside it. */
    byte[] file(String pool, String object) throws Exception {
        final ByteArrayOutputStream content = new ByteArrayOutputStream();
        connection.objectStore(Subjects.filesBucket(namespace, pool)).get(object, content);
        return content.toByteArray();
    }

    void purgePool(String pool) {
        ask(management -> management.purgeStream(stream(pool)));
    }

    void deletePool(String pool) {
        ask(management -> management.deleteStream(stream(pool)));
    }

    /** JetStream forgets message ids after this time. */
    void shortenDedupeWindow(String pool, Duration window) {
        ask(management -> management.updateStream(StreamConfiguration.builder(
                        management.getStreamInfo(stream(pool)).getConfiguration())
                .duplicateWindow(window)
                .build()));
    }

    /** As if the task's events had aged out. */
    void purgeEvents(String taskId) {
        ask(management -> management.purgeStream(Subjects.EVENTS_STREAM, PurgeOptions.subject(everyPool(taskId))));
    }

    private static String everyPool(String taskId) {
        return Subjects.events(new TaskRef("*", "*", taskId));
    }

    /** All events of a task that are kept, the oldest first. */
    List<TaskEvent> events(String taskId) {
        return ask(management -> {
            final List<TaskEvent> events = new ArrayList<>();
            long after = 1;
            while (true) {
                try {
                    final MessageInfo next =
                            management.getNextMessage(Subjects.EVENTS_STREAM, after, everyPool(taskId));
                    events.add(TaskEvent.parse(next.getData()));
                    after = next.getSeq() + 1;
                } catch (JetStreamApiException e) {
                    if (e.getApiErrorCode() == NO_MESSAGE) {
                        return events;
                    }
                    throw e;
                } catch (dev.codeforge.wire.UnreadableMessageException e) {
                    throw new IOException(e);
                }
            }
        });
    }

    List<TaskEvent> ends(String taskId) {
        return events(taskId).stream().filter(TaskEvent::isTerminal).toList();
    }

    /** Events that the operator has taken and not acknowledged yet. */
    long unacknowledgedEvents() {
        return ask(management -> management.getConsumers(Subjects.EVENTS_STREAM).stream()
                .filter(consumer -> consumer.getName().startsWith("operator-"))
                .mapToLong(consumer -> consumer.getNumAckPending() + consumer.getNumPending())
                .sum());
    }

    /** The bodies of the pool's dead letters. */
    List<MessageInfo> deadLetters(String pool) {
        return ask(management -> {
            final List<MessageInfo> letters = new ArrayList<>();
            long after = 1;
            while (true) {
                try {
                    final MessageInfo next = management.getNextMessage(
                            Subjects.DEADLETTERS_STREAM, after, Subjects.deadLetters(namespace, pool));
                    letters.add(next);
                    after = next.getSeq() + 1;
                } catch (JetStreamApiException e) {
                    if (e.getApiErrorCode() == NO_MESSAGE) {
                        return letters;
                    }
                    throw e;
                }
            }
        });
    }

    /** Publishes as an outside producer does. @return the message's sequence */
    long publishOutside(String subject, String taskId, String prompt) {
        try {
            return connection
                    .jetStream()
                    .publish(
                            subject,
                            "{\"task_id\":\"%s\",\"prompt\":\"%s\"}"
                                    .formatted(taskId, prompt)
                                    .getBytes(StandardCharsets.UTF_8))
                    .getSeqno();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (JetStreamApiException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() throws Exception {
        connection.close();
    }
}
