package dev.codeforge.jetstream;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.nats.client.Message;
import io.nats.client.Subscription;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reads a stream without a consumer. Any replica may answer and may lag behind, so absence is only a hint. */
final class DirectGet {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration TIMEOUT = Duration.ofSeconds(5);
    private static final String API = "$JS.API.DIRECT.GET.";
    private static final int END = 204;
    private static final int NONE = 404;
    private static final String LEFT = "Nats-Num-Pending";
    private static final String SUBJECT = "Nats-Subject";

    /** The server's limit of matches for one request. */
    static final int MATCHES = 1024;

    /** The server stops after this many bytes and reports how many messages are left. */
    private static final int ANSWER_BYTES = 8 << 20;

    private final NatsConnection nats;

    DirectGet(NatsConnection nats) {
        this.nats = nats;
    }

    /** @param left how many more messages match, which the server has not sent */
    record Batch(List<Message> messages, long left) {}

    /** The last message on a subject, which may have wildcards. */
    Optional<Message> last(String stream, String subject) {
        return one(stream, Map.of("last_by_subj", subject));
    }

    /** The message at a sequence, if the stream still has it. */
    Optional<Message> at(String stream, long sequence) {
        return one(stream, Map.of("seq", sequence));
    }

    private Optional<Message> one(String stream, Map<String, Object> query) {
        final Message answer = nats.request(API + stream, written(query));
        if (!answer.isStatusMessage()) {
            return Optional.of(answer);
        }
        if (answer.getStatus().getCode() == NONE) {
            return Optional.empty();
        }
        throw refused(stream, answer);
    }

    /**
     * The last messages of many subjects, by subject, in as few requests as the server allows. A subject without
     * messages is left out.
     */
    Map<String, Message> lastOf(String stream, Collection<String> subjects) {
        final Map<String, Message> found = new HashMap<>();
        final List<String> all = subjects.stream().distinct().toList();
        for (int from = 0; from < all.size(); from += MATCHES) {
            List<String> rest = all.subList(from, Math.min(all.size(), from + MATCHES));
            while (!rest.isEmpty()) {
                final Batch batch = batch(stream, Map.of("multi_last", rest, "max_bytes", ANSWER_BYTES));
                batch.messages()
                        .forEach(message -> found.put(message.getHeaders().getFirst(SUBJECT), message));
                rest = batch.left() == 0 ? List.of() : without(found, rest, stream);
            }
        }
        return found;
    }

    private static List<String> without(Map<String, Message> found, List<String> asked, String stream) {
        final List<String> rest =
                asked.stream().filter(subject -> !found.containsKey(subject)).toList();
        if (rest.size() == asked.size()) {
            throw new QueueUnavailableException(stream + " answered that more is left, and sent nothing");
        }
        return rest;
    }

    /** All answers to a query that may have several. */
    Batch batch(String stream, Map<String, Object> query) {
        return nats.use(connection -> {
            final String inbox = connection.createInbox();
            final Subscription answers = connection.subscribe(inbox);
            try {
                // Without this, the client could drop an answer, which would look like an absent message.
                answers.setPendingLimits(0, 0);
                connection.publish(API + stream, inbox, written(query));
                return read(stream, answers);
            } finally {
                answers.unsubscribe();
            }
        });
    }

    private static byte[] written(Map<String, Object> query) {
        try {
            return JSON.writeValueAsBytes(query);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a map of strings and numbers is JSON", e);
        }
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
