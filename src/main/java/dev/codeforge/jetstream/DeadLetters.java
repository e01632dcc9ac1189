package dev.codeforge.jetstream;

import dev.codeforge.wire.DeadLetterId;
import dev.codeforge.wire.Headers;
import dev.codeforge.wire.Subjects;
import dev.codeforge.wire.TaskMessage;
import dev.codeforge.wire.UnreadableMessageException;
import io.nats.client.JetStreamApiException;
import io.nats.client.PublishOptions;
import io.nats.client.api.MessageInfo;
import io.nats.client.api.StreamInfoOptions;
import io.nats.client.impl.NatsMessage;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Messages that no worker will run, stored with the reason. */
public final class DeadLetters {
    /** The server accepts messages up to 1 MiB, headers included. */
    private static final int BODY_LIMIT = 1_000_000;

    private static final int DETAIL_LIMIT = 512;

    private final NatsConnection nats;
    private final StreamMessages leader;

    DeadLetters(NatsConnection nats) {
        this.nats = nats;
        this.leader = new StreamMessages(nats);
    }

    /**
     * A message as it was in the pool's stream.
     *
     * @param taskId from its body; empty when the body has none
     * @param installation whose operator published it, from its header; empty for an outside producer's
     * @param attempt 0 when its body has none
     * @param dispatchId proves that an operator with the key published it; empty when absent
     */
    public record Buried(String subject, String taskId, String installation, int attempt, String dispatchId) {}

    /** @param taskId empty when the message had none */
    public record DeadLetter(long sequence, String reason, String detail, String taskId, String originSubject) {}

    /** Number of dead letters of a pool. */
    public long count(String namespace, String pool) {
        return nats.find(management -> management
                        .getStreamInfo(
                                Subjects.DEADLETTERS_STREAM,
                                StreamInfoOptions.filterSubjects(Subjects.deadLetters(namespace, pool)))
                        .getStreamState()
                        .getSubjectMap()
                        .values()
                        .stream()
                        .mapToLong(Long::longValue)
                        .sum())
                .orElse(0L);
    }

    /** The newest dead letter of a pool. */
    public Optional<DeadLetter> last(String namespace, String pool) {
        return leader.last(Subjects.DEADLETTERS_STREAM, Subjects.deadLetters(namespace, pool))
                .map(message -> new DeadLetter(
                        message.getSeq(),
                        header(message, Headers.REASON),
                        header(message, Headers.DETAIL),
                        header(message, Headers.TASK_ID),
                        header(message, Headers.ORIGIN_SUBJECT)));
    }

    /** Copies every message in the stream to the dead letters, with this reason; returns how many. */
    public int buryAll(String namespace, String pool, String stream, String reason, String detail) {
        int buried = 0;
        Optional<MessageInfo> message = leader.next(stream, 1, ">");
        while (message.isPresent()) {
            copy(namespace, pool, message.get(), stream, reason, detail);
            buried++;
            message = leader.next(stream, message.get().getSeq() + 1, ">");
        }
        return buried;
    }

    /**
     * Copies a message to the pool's dead letters, calls {@code beforeRemoval} once the copy is stored, and then
     * deletes the message. After an interruption it can be called again, because the message is deleted last.
     *
     * @param beforeRemoval writes the task's outcome, for instance; when it throws, the message stays
     * @return empty when there is no such message
     */
    public Optional<Buried> bury(
            String namespace,
            String pool,
            String stream,
            long sequence,
            String reason,
            String detail,
            Consumer<Buried> beforeRemoval) {
        final Optional<MessageInfo> message = leader.at(stream, sequence);
        if (message.isEmpty()) {
            return Optional.empty();
        }
        copy(namespace, pool, message.get(), stream, reason, detail);
        final Buried buried = buried(message.get());
        beforeRemoval.accept(buried);
        leader.remove(stream, sequence);
        return Optional.of(buried);
    }

    private static Buried buried(MessageInfo message) {
        final String installation = header(message, Headers.INSTALLATION);
        try {
            final TaskMessage task = TaskMessage.parse(body(message));
            return new Buried(
                    message.getSubject(),
                    orEmpty(task.taskId()),
                    installation,
                    task.attempt(),
                    orEmpty(task.dispatchId()));
        } catch (UnreadableMessageException e) {
            return new Buried(message.getSubject(), "", installation, 0, "");
        }
    }

    private static String orEmpty(@Nullable String value) {
        return value == null ? "" : value;
    }

    private static byte[] body(MessageInfo message) {
        return message.getData() == null ? new byte[0] : message.getData();
    }

    private void copy(String namespace, String pool, MessageInfo message, String stream, String reason, String detail) {
        final io.nats.client.impl.Headers headers = new io.nats.client.impl.Headers();
        headers.put(Headers.REASON, reason);
        headers.put(Headers.DETAIL, headerValue(detail));
        final String taskId = buried(message).taskId();
        if (!taskId.isEmpty()) {
            headers.put(Headers.TASK_ID, taskId);
        }
        headers.put(Headers.ORIGIN_SUBJECT, message.getSubject());
        headers.put(Headers.ORIGIN_STREAM, stream);
        headers.put(Headers.ORIGIN_SEQUENCE, Long.toString(message.getSeq()));
        final byte[] whole = body(message);
        if (whole.length > BODY_LIMIT) {
            headers.put(Headers.TRUNCATED, Integer.toString(whole.length));
        }
        try {
            // The message id deduplicates a burial that is repeated after a crash. Ids are shared by all pools' letters
            // in the stream, so an id must not be predictable.
            nats.publish(
                    NatsMessage.builder()
                            .subject(Subjects.deadLetters(namespace, pool))
                            .headers(headers)
                            .data(Arrays.copyOf(whole, Math.min(whole.length, BODY_LIMIT)))
                            .build(),
                    PublishOptions.builder()
                            .messageId(DeadLetterId.of(stream, message.getSeq(), message.getTime(), whole))
                            .build());
        } catch (JetStreamApiException e) {
            throw JetStreamErrors.unavailable(Subjects.DEADLETTERS_STREAM, e);
        }
    }

    /** A header is one line; a sentence is enough. */
    private static String headerValue(String detail) {
        final String line = detail.replaceAll("[\\r\\n]+", " ");
        return line.length() <= DETAIL_LIMIT ? line : line.substring(0, DETAIL_LIMIT);
    }

    private static String header(MessageInfo message, String name) {
        final String value =
                message.getHeaders() == null ? null : message.getHeaders().getFirst(name);
        return value == null ? "" : value;
    }
}
