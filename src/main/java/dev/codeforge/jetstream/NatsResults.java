package dev.codeforge.jetstream;

import dev.codeforge.wire.Headers;
import dev.codeforge.wire.Subjects;
import dev.codeforge.wire.TaskRef;
import io.nats.client.Message;
import io.nats.client.PublishOptions;
import io.nats.client.impl.NatsMessage;
import java.time.Instant;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;

/** {@link Results} over jnats. */
final class NatsResults implements Results {
    private final NatsConnection nats;
    private final SharedStreams streams;
    private final StreamMessages leader;
    private final DirectGet direct;

    NatsResults(NatsConnection nats, SharedStreams streams) {
        this.nats = nats;
        this.streams = streams;
        this.leader = new StreamMessages(nats);
        this.direct = new DirectGet(nats);
    }

    @Override
    public Optional<String> problem() {
        return streams.problem();
    }

    @Override
    public Optional<StoredEvent> last(TaskRef task) {
        return leader.lastKept(Subjects.EVENTS_STREAM, Subjects.events(task))
                .map(message -> stored(
                        message.getSubject(),
                        message.getSeq(),
                        message.getTime().toInstant(),
                        message.getData(),
                        message.getHeaders()));
    }

    @Override
    public Map<TaskRef, StoredEvent> lastOf(Collection<TaskRef> tasks) {
        return direct
                .lastOf(
                        Subjects.EVENTS_STREAM,
                        tasks.stream().map(Subjects::events).toList())
                .entrySet()
                .stream()
                .map(entry -> stored(
                        entry.getKey(),
                        Long.parseLong(entry.getValue().getHeaders().getFirst("Nats-Sequence")),
                        Instant.parse(entry.getValue().getHeaders().getFirst("Nats-Time-Stamp")),
                        entry.getValue().getData(),
                        entry.getValue().getHeaders()))
                .collect(Collectors.toMap(StoredEvent::task, Function.identity()));
    }

    private static StoredEvent stored(
            String subject, long sequence, Instant time, byte[] data, io.nats.client.impl.Headers headers) {
        final String proof = headers == null ? null : headers.getFirst(Headers.PROOF);
        return new StoredEvent(
                Subjects.taskOfEvent(subject),
                sequence,
                time,
                data == null ? new byte[0] : data,
                proof == null ? "" : proof);
    }

    @Override
    public Optional<Long> append(TaskRef task, String eventId, byte[] body, String proof, long expectedSequence) {
        final io.nats.client.impl.Headers headers = new io.nats.client.impl.Headers();
        headers.put(Headers.PROTOCOL, Headers.PROTOCOL_VERSION);
        headers.put(Headers.PROOF, proof);
        final PublishOptions options = PublishOptions.builder()
                .messageId(eventId)
                .expectedStream(Subjects.EVENTS_STREAM)
                .expectedLastSubjectSequence(expectedSequence)
                .build();
        return nats.publishFenced(
                NatsMessage.builder()
                        .subject(Subjects.events(task))
                        .headers(headers)
                        .data(body)
                        .build(),
                options);
    }

    @Override
    public Consumption consume(Consumer<Delivery> onEvent) {
        return new DurableConsumer(
                nats, streams, Subjects.EVENTS_STREAM, "results", message -> onEvent.accept(new Held(message)));
    }

    private record Held(Message message) implements Delivery {
        @Override
        public StoredEvent event() {
            return stored(
                    message.getSubject(),
                    message.metaData().streamSequence(),
                    message.metaData().timestamp().toInstant(),
                    message.getData(),
                    message.getHeaders());
        }

        @Override
        public void ack() {
            DurableConsumer.answer(message, Message::ack);
        }
    }
}
