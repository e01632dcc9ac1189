package dev.codeforge.jetstream;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.codeforge.wire.Headers;
import dev.codeforge.wire.Subjects;
import io.nats.client.Connection;
import io.nats.client.JetStreamApiException;
import io.nats.client.Message;
import io.nats.client.PublishOptions;
import io.nats.client.Subscription;
import io.nats.client.api.MessageInfo;
import io.nats.client.impl.NatsMessage;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** {@link Results} over jnats. */
final class NatsResults implements Results {
    private static final ObjectMapper JSON = new ObjectMapper();
    /** The server answers at most 1,024 subjects a request, and refuses more as a whole. */
    private static final int BATCH = 1000;

    private static final Duration BATCH_TIMEOUT = Duration.ofSeconds(5);

    private final NatsConnection nats;
    private final SharedStreams streams;

    NatsResults(NatsConnection nats, SharedStreams streams) {
        this.nats = nats;
        this.streams = streams;
    }

    @Override
    public Optional<String> problem() {
        return streams.problem();
    }

    @Override
    public Optional<StoredEvent> last(String taskId) {
        try {
            final MessageInfo message = nats.manage(
                    management -> management.getLastMessage(Subjects.RESULTS_STREAM, Subjects.results(taskId)));
            return Optional.of(stored(message.getSubject(), message.getSeq(), message.getData(), message.getHeaders()));
        } catch (JetStreamApiException e) {
            if (e.getApiErrorCode() == ApiErrors.MESSAGE_NOT_FOUND) {
                return Optional.empty();
            }
            throw new QueueUnavailableException("JetStream answered: " + e.getMessage(), e);
        }
    }

    static StoredEvent stored(String subject, long sequence, byte[] data, io.nats.client.impl.Headers headers) {
        final String proof = headers == null ? null : headers.getFirst(Headers.PROOF);
        return new StoredEvent(
                Subjects.taskIdOf(subject), sequence, data == null ? new byte[0] : data, proof == null ? "" : proof);
    }

    @Override
    public Map<String, StoredEvent> lastOf(Collection<String> taskIds) {
        final Map<String, StoredEvent> events = new HashMap<>();
        final List<String> subjects = taskIds.stream().map(Subjects::results).toList();
        for (int from = 0; from < subjects.size(); from += BATCH) {
            final List<String> batch = subjects.subList(from, Math.min(from + BATCH, subjects.size()));
            for (final StoredEvent event : lastOfBatch(batch)) {
                events.put(event.taskId(), event);
            }
        }
        return events;
    }

    private List<StoredEvent> lastOfBatch(List<String> subjects) {
        final Connection connection = nats.connected();
        final String inbox = connection.createInbox();
        final Subscription answers = connection.subscribe(inbox);
        try {
            connection.publish(
                    "$JS.API.DIRECT.GET." + Subjects.RESULTS_STREAM,
                    inbox,
                    JSON.writeValueAsBytes(Map.of("multi_last", subjects)));
            final List<StoredEvent> events = new ArrayList<>();
            while (true) {
                final Message answer = answers.nextMessage(BATCH_TIMEOUT);
                if (answer == null) {
                    throw new QueueUnavailableException("no answer to a look at " + subjects.size() + " results");
                }
                if (answer.isStatusMessage()) {
                    final int code = answer.getStatus().getCode();
                    if (code == 204 || code == 404) {
                        return events;
                    }
                    throw new QueueUnavailableException("a look at many results was answered: " + answer.getStatus());
                }
                events.add(stored(
                        answer.getHeaders().getFirst("Nats-Subject"),
                        Long.parseLong(answer.getHeaders().getFirst("Nats-Sequence")),
                        answer.getData(),
                        answer.getHeaders()));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new QueueUnavailableException("interrupted while looking at results", e);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a list of subjects is always JSON", e);
        } catch (IllegalStateException e) {
            throw new QueueUnavailableException("NATS went away: " + e.getMessage(), e);
        } finally {
            answers.unsubscribe();
        }
    }

    @Override
    public Optional<Long> append(String taskId, String eventId, byte[] body, String proof, long expectedSequence) {
        final io.nats.client.impl.Headers headers = new io.nats.client.impl.Headers();
        headers.put(Headers.PROTOCOL, Headers.PROTOCOL_VERSION);
        headers.put(Headers.PROOF, proof);
        final PublishOptions options = PublishOptions.builder()
                .messageId(eventId)
                .expectedStream(Subjects.RESULTS_STREAM)
                .expectedLastSubjectSequence(expectedSequence)
                .build();
        try {
            return Optional.of(nats.publish(jetStream -> jetStream.publish(
                            NatsMessage.builder()
                                    .subject(Subjects.results(taskId))
                                    .headers(headers)
                                    .data(body)
                                    .build(),
                            options))
                    .getSeqno());
        } catch (JetStreamApiException e) {
            if (e.getApiErrorCode() == ApiErrors.WRONG_LAST_SEQUENCE) {
                return Optional.empty();
            }
            throw new QueueUnavailableException("JetStream answered: " + e.getMessage(), e);
        } catch (IOException e) {
            throw new QueueUnavailableException("no acknowledgement of an event: " + e.getMessage(), e);
        }
    }

    @Override
    public AutoCloseable consume(Consumer<Delivery> onEvent) {
        return new ResultsConsumer(nats, streams, onEvent);
    }
}
