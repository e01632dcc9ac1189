package dev.codeforge.jetstream;

import io.nats.client.JetStreamApiException;
import io.nats.client.PurgeOptions;
import io.nats.client.api.MessageGetRequest;
import io.nats.client.api.MessageInfo;
import java.util.Optional;
import java.util.Set;

/**
 * Reads and removes messages at the stream's leader, so that absence is reliable. The client's own reads ask any
 * replica of a stream with direct access, and a replica may lag behind.
 */
final class StreamMessages {
    private static final Set<Integer> NONE_KEPT = Set.of(JetStreamErrors.MESSAGE_NOT_FOUND);
    private static final Set<Integer> NONE_THERE =
            Set.of(JetStreamErrors.MESSAGE_NOT_FOUND, JetStreamErrors.STREAM_NOT_FOUND);

    private final NatsConnection nats;

    StreamMessages(NatsConnection nats) {
        this.nats = nats;
    }

    /** The last message on the subject; empty also for a missing stream. */
    Optional<MessageInfo> last(String stream, String subject) {
        return get(stream, MessageGetRequest.lastForSubject(subject), NONE_THERE);
    }

    /** As {@link #last}, for a shared stream: if it is missing, its messages are unknown, not absent. */
    Optional<MessageInfo> lastKept(String stream, String subject) {
        return get(stream, MessageGetRequest.lastForSubject(subject), NONE_KEPT);
    }

    /** The first message on the subject, which may have wildcards, from this sequence on. */
    Optional<MessageInfo> next(String stream, long from, String subject) {
        return get(stream, MessageGetRequest.nextForSubject(from, subject), NONE_THERE);
    }

    /** The message with this sequence. */
    Optional<MessageInfo> at(String stream, long sequence) {
        return get(stream, MessageGetRequest.forSequence(sequence), NONE_THERE);
    }

    /** Removes the message with this sequence. A missing message or stream is no error. */
    void remove(String stream, long sequence) {
        try {
            nats.manage(management -> management.deleteMessage(stream, sequence, false));
        } catch (JetStreamApiException e) {
            // The server has one error for every failed removal, also that of a missing message.
            if (at(stream, sequence).isPresent()) {
                throw JetStreamErrors.unavailable(stream, e);
            }
        }
    }

    /** Removes all messages on the subject. No messages, or no such stream, is no error. */
    void purge(String stream, String subject) {
        nats.find(management -> management.purgeStream(stream, PurgeOptions.subject(subject)));
    }

    private Optional<MessageInfo> get(String stream, MessageGetRequest request, Set<Integer> absence) {
        final MessageInfo message =
                new MessageInfo(nats.request("$JS.API.STREAM.MSG.GET." + stream, request.serialize()), stream, false);
        if (!message.hasError()) {
            return Optional.of(message);
        }
        if (absence.contains(message.getApiErrorCode())) {
            return Optional.empty();
        }
        throw JetStreamErrors.unavailable(stream, new JetStreamApiException(message.getErrorObject()));
    }
}
