package dev.codeforge.jetstream;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.nats.client.Connection;
import io.nats.client.Message;
import io.nats.client.Subscription;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The last message of many subjects, in as few requests as the server allows. Any replica answers: absence is a hint. */
final class LastMessages {
    /** The server refuses more matches in one request. */
    static final int BATCH = 1024;

    private static final ObjectMapper JSON = new ObjectMapper();
    /** The server stops after this much and says how much is left. */
    private static final int ANSWER_BYTES = 8 << 20;

    private static final Duration TIMEOUT = Duration.ofSeconds(5);
    private static final int END = 204;
    private static final int NONE = 404;
    private static final String SUBJECT = "Nats-Subject";
    private static final String LEFT = "Nats-Num-Pending";

    private final NatsConnection nats;

    LastMessages(NatsConnection nats) {
        this.nats = nats;
    }

    /** Messages by subject; a subject without one is left out. */
    Map<String, Message> of(String stream, Collection<String> subjects) {
        final Map<String, Message> found = new HashMap<>();
        final List<String> all = subjects.stream().distinct().toList();
        for (int from = 0; from < all.size(); from += BATCH) {
            List<String> batch = all.subList(from, Math.min(all.size(), from + BATCH));
            while (ask(stream, batch, found)) {
                final List<String> rest = batch.stream()
                        .filter(subject -> !found.containsKey(subject))
                        .toList();
                if (rest.size() == batch.size()) {
                    throw new QueueUnavailableException(stream + " answered that more is left, and sent nothing");
                }
                batch = rest;
            }
        }
        return found;
    }

    /** True when the server sent a part only. */
    private boolean ask(String stream, List<String> subjects, Map<String, Message> found) {
        try {
            final Connection connection = nats.connected();
            final String inbox = connection.createInbox();
            final Subscription answers = connection.subscribe(inbox);
            try {
                // A dropped answer would look like an absent subject.
                answers.setPendingLimits(0, 0);
                connection.publish(
                        "$JS.API.DIRECT.GET." + stream,
                        inbox,
                        JSON.writeValueAsBytes(Map.of("multi_last", subjects, "max_bytes", ANSWER_BYTES)));
                return read(stream, answers, found);
            } finally {
                answers.unsubscribe();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new QueueUnavailableException("interrupted while reading " + stream, e);
        } catch (JsonProcessingException | IllegalStateException e) {
            throw new QueueUnavailableException("NATS went away: " + e.getMessage(), e);
        }
    }

    private static boolean read(String stream, Subscription answers, Map<String, Message> found)
            throws InterruptedException {
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
                throw new QueueUnavailableException(
                        stream + " answered: " + answer.getStatus().getMessageWithCode());
            }
            came.forEach(message -> found.put(message.getHeaders().getFirst(SUBJECT), message));
            return code == END && left(answer) > 0;
        }
    }

    private static long left(Message end) {
        final String left = end.getHeaders() == null ? null : end.getHeaders().getFirst(LEFT);
        return left == null ? 0 : Long.parseLong(left);
    }
}
