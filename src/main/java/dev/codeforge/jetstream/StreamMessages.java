package dev.codeforge.jetstream;

import io.nats.client.JetStreamApiException;
import io.nats.client.Message;
import io.nats.client.api.MessageGetRequest;
import io.nats.client.api.MessageInfo;
import java.util.Optional;

/**
 * Messages read and removed at the stream's leader, whose word on absence is to be believed. The client's own reads ask any
 * replica of a stream with direct access, and a replica may be behind.
 */
final class StreamMessages {
    private final NatsConnection nats;

    StreamMessages(NatsConnection nats) {
        this.nats = nats;
    }

    /** The last message on the subject. */
    Optional<MessageInfo> last(String stream, String subject) throws JetStreamApiException {
        return get(stream, MessageGetRequest.lastForSubject(subject));
    }

    /** As {@link #last}, of a shared stream: a missing one is not empty, what it knew is not known now. */
    Optional<MessageInfo> lastKept(String stream, String subject) {
        try {
            return last(stream, subject);
        } catch (JetStreamApiException e) {
            throw new QueueUnavailableException("JetStream answered: " + e.getMessage(), e);
        }
    }

    /** The first message on the subject, which may have wildcards, from this sequence on. */
    Optional<MessageInfo> next(String stream, long from, String subject) throws JetStreamApiException {
        return get(stream, MessageGetRequest.nextForSubject(from, subject));
    }

    /** The message with this sequence. */
    Optional<MessageInfo> at(String stream, long sequence) throws JetStreamApiException {
        return get(stream, MessageGetRequest.forSequence(sequence));
    }

    /** Removes the message with this sequence; nothing there, or no such stream, is no error. */
    void remove(String stream, long sequence) {
        try {
            nats.manage(management -> management.deleteMessage(stream, sequence, false));
        } catch (JetStreamApiException e) {
            if (e.getApiErrorCode() != ApiErrors.STREAM_NOT_FOUND && stands(stream, sequence)) {
                throw new QueueUnavailableException("JetStream answered: " + e.getMessage(), e);
            }
        }
    }

    /** The server has one error for all that hinders a removal, a message that is gone among them. */
    private boolean stands(String stream, long sequence) {
        try {
            return at(stream, sequence).isPresent();
        } catch (JetStreamApiException e) {
            return true;
        }
    }

    private Optional<MessageInfo> get(String stream, MessageGetRequest request) throws JetStreamApiException {
        final Message answer = nats.request("$JS.API.STREAM.MSG.GET." + stream, request.serialize());
        final MessageInfo message = new MessageInfo(answer, stream, false);
        if (message.hasError() && message.getApiErrorCode() == ApiErrors.MESSAGE_NOT_FOUND) {
            return Optional.empty();
        }
        message.throwOnHasError();
        return Optional.of(message);
    }
}
