package dev.codeforge.jetstream;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.nats.client.Connection;
import io.nats.client.Message;
import io.nats.client.Subscription;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reads of a stream without a consumer, which any replica answers. */
final class DirectGet {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration TIMEOUT = Duration.ofSeconds(5);
    private static final String API = "$JS.API.DIRECT.GET.";
    private static final int END = 204;
    private static final int NONE = 404;
    private static final String LEFT = "Nats-Num-Pending";

    private final NatsConnection nats;

    DirectGet(NatsConnection nats) {
        this.nats = nats;
    }

    /** @param left how many more match, which the server has not sent */
    record Batch(List<Message> messages, long left) {}

    private interface Question<T> {
        T ask(Connection connection) throws InterruptedException, JsonProcessingException;
    }

    /** The last message on a subject, which may have wildcards. */
    Optional<Message> last(String stream, String subject) {
        return one(stream, Map.of("last_by_subj", subject));
    }

    /** The message at a sequence, while the stream keeps it. */
    Optional<Message> at(String stream, long sequence) {
        return one(stream, Map.of("seq", sequence));
    }

    private Optional<Message> one(String stream, Map<String, Object> query) {
        return ask(stream, connection -> {
            final Message answer = connection.request(API + stream, written(query), TIMEOUT);
            if (answer == null) {
                throw new QueueUnavailableException(stream + " did not answer within " + TIMEOUT);
            }
            if (!answer.isStatusMessage()) {
                return Optional.of(answer);
            }
            if (answer.getStatus().getCode() == NONE) {
                return Optional.empty();
            }
            throw refused(stream, answer);
        });
    }

    /** All answers to a query that may have several. */
    Batch batch(String stream, Map<String, Object> query) {
        return ask(stream, connection -> {
            final String inbox = connection.createInbox();
            final Subscription answers = connection.subscribe(inbox);
            try {
                // A dropped answer would look like an absent message.
                answers.setPendingLimits(0, 0);
                connection.publish(API + stream, inbox, written(query));
                return read(stream, answers);
            } finally {
                answers.unsubscribe();
            }
        });
    }

    private <T> T ask(String stream, Question<T> question) {
        try {
            return question.ask(nats.connected());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new QueueUnavailableException("interrupted while reading " + stream, e);
        } catch (JsonProcessingException | IllegalStateException e) {
            throw new QueueUnavailableException("NATS went away: " + e.getMessage(), e);
        }
    }

    private static byte[] written(Map<String, Object> query) throws JsonProcessingException {
        return JSON.writeValueAsBytes(query);
    }

    private static Batch read(String stream, Subscription answers) throws InterruptedException {
        final List<Message> came = new ArrayList<>();
        while (true) {
            final Message answer = answers.nextMessage(TIMEOUT);
            if (answer == null) {
                throw new QueueUnavailableException(stream + " did not answer in full within " + TIMEOUT);
            }
            if (!answer.isStatusMessage()) {
                came.add(answer);
                continue;
            }
            final int code = answer.getStatus().getCode();
            if (code != END && code != NONE) {
                throw refused(stream, answer);
            }
            return new Batch(came, code == END ? left(answer) : 0);
        }
    }

    private static QueueUnavailableException refused(String stream, Message answer) {
        return new QueueUnavailableException(
                stream + " answered: " + answer.getStatus().getMessageWithCode());
    }

    private static long left(Message end) {
        final String left = end.getHeaders() == null ? null : end.getHeaders().getFirst(LEFT);
        return left == null ? 0 : Long.parseLong(left);
    }
}
