package dev.codeforge.jetstream;

import dev.codeforge.wire.Headers;
import dev.codeforge.wire.Subjects;
import io.nats.client.JetStreamApiException;
import io.nats.client.PublishOptions;
import io.nats.client.api.MessageInfo;
import io.nats.client.api.StreamInfoOptions;
import io.nats.client.impl.NatsMessage;
import java.io.IOException;
import java.util.Optional;

/** {@link DeadLetters} over jnats. */
final class NatsDeadLetters implements DeadLetters {
    private final NatsConnection nats;

    NatsDeadLetters(NatsConnection nats) {
        this.nats = nats;
    }

    @Override
    public long count(String namespace, String pool) {
        final String subject = Subjects.deadLetters(namespace, pool);
        try {
            return nats.manage(management -> management
                    .getStreamInfo(Subjects.DEADLETTERS_STREAM, StreamInfoOptions.filterSubjects(subject))
                    .getStreamState()
                    .getSubjectMap()
                    .values()
                    .stream()
                    .mapToLong(Long::longValue)
                    .sum());
        } catch (JetStreamApiException e) {
            if (e.getApiErrorCode() == ApiErrors.STREAM_NOT_FOUND) {
                return 0;
            }
            throw new QueueUnavailableException("JetStream answered: " + e.getMessage(), e);
        }
    }

    @Override
    public Optional<DeadLetter> last(String namespace, String pool) {
        return next(Subjects.DEADLETTERS_STREAM, Subjects.deadLetters(namespace, pool), 0)
                .map(message -> new DeadLetter(
                        message.getSeq(),
                        header(message, Headers.REASON),
                        header(message, Headers.DETAIL),
                        header(message, Headers.TASK_ID),
                        header(message, Headers.ORIGIN_SUBJECT)));
    }

    @Override
    public int buryAll(String namespace, String pool, String stream, String reason, String detail) {
        int buried = 0;
        Optional<MessageInfo> message = next(stream, ">", 1);
        while (message.isPresent()) {
            bury(namespace, pool, message.get(), stream, reason, detail);
            buried++;
            message = next(stream, ">", message.get().getSeq() + 1);
        }
        return buried;
    }

    /** The next message from a sequence on, or the last one for sequence 0. */
    private Optional<MessageInfo> next(String stream, String subject, long from) {
        try {
            return Optional.of(nats.manage(management -> from == 0
                    ? management.getLastMessage(stream, subject)
                    : management.getNextMessage(stream, from, subject)));
        } catch (JetStreamApiException e) {
            if (e.getApiErrorCode() == ApiErrors.MESSAGE_NOT_FOUND
                    || e.getApiErrorCode() == ApiErrors.STREAM_NOT_FOUND) {
                return Optional.empty();
            }
            throw new QueueUnavailableException("JetStream answered: " + e.getMessage(), e);
        }
    }

    private void bury(String namespace, String pool, MessageInfo message, String stream, String reason, String detail) {
        final io.nats.client.impl.Headers headers = new io.nats.client.impl.Headers();
        headers.put(Headers.REASON, reason);
        headers.put(Headers.DETAIL, detail);
        headers.put(Headers.ORIGIN_SUBJECT, message.getSubject());
        headers.put(Headers.ORIGIN_STREAM, stream);
        headers.put(Headers.ORIGIN_SEQUENCE, Long.toString(message.getSeq()));
        try {
            // The id makes a burial that is begun again after a crash bury nothing twice.
            nats.publish(jetStream -> jetStream.publish(
                    NatsMessage.builder()
                            .subject(Subjects.deadLetters(namespace, pool))
                            .headers(headers)
                            .data(message.getData())
                            .build(),
                    PublishOptions.builder()
                            .messageId(stream + "-" + message.getSeq() + "-" + message.getTime())
                            .build()));
        } catch (IOException | JetStreamApiException e) {
            throw new QueueUnavailableException("a dead letter was not stored: " + e.getMessage(), e);
        }
    }

    private static String header(MessageInfo message, String name) {
        final String value =
                message.getHeaders() == null ? null : message.getHeaders().getFirst(name);
        return value == null ? "" : value;
    }
}
