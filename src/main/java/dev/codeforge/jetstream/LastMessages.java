package dev.codeforge.jetstream;

import io.nats.client.Message;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The last message of many subjects, in as few requests as the server allows. Any replica answers: absence is a hint. */
final class LastMessages {
    /** The server refuses more matches in one request. */
    static final int BATCH = 1024;

    /** The server stops after this much and says how much is left. */
    private static final int ANSWER_BYTES = 8 << 20;

    private static final String SUBJECT = "Nats-Subject";

    private final DirectGet direct;

    LastMessages(NatsConnection nats) {
        this.direct = new DirectGet(nats);
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
        final DirectGet.Batch batch = direct.batch(stream, Map.of("multi_last", subjects, "max_bytes", ANSWER_BYTES));
        batch.messages().forEach(message -> found.put(message.getHeaders().getFirst(SUBJECT), message));
        return batch.left() > 0;
    }
}
