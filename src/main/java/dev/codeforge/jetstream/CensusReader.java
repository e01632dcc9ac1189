package dev.codeforge.jetstream;

import dev.codeforge.wire.Subjects;
import dev.codeforge.wire.TaskMessage;
import dev.codeforge.wire.UnreadableMessageException;
import io.nats.client.JetStreamApiException;
import io.nats.client.JetStreamManagement;
import io.nats.client.api.ConsumerInfo;
import io.nats.client.api.MessageInfo;
import io.nats.client.api.StreamState;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Takes a {@link QueueCensus}. */
final class CensusReader {
    /** One request each: a queue with more of them is looked at in part. */
    private static final int MOST_MESSAGES = 5_000;

    private static final int TRIES = 3;

    private final NatsConnection nats;
    private final StreamMessages leader;

    CensusReader(NatsConnection nats) {
        this.nats = nats;
        this.leader = new StreamMessages(nats);
    }

    /** Every number that changes when a message comes, is handed out or goes. */
    private record Counts(
            long messages,
            long lastSequence,
            long pending,
            long ackPending,
            long deliveries,
            long deliveredSequence,
            long acknowledged) {
        long dead() {
            return messages - pending - ackPending;
        }
    }

    /** Empty when the queue moved at each try. */
    Optional<QueueCensus> read(String stream) {
        try {
            for (int i = 0; i < TRIES; i++) {
                final Counts before = counts(stream);
                final List<QueuedTask> handedOut =
                        before.dead() > 0 ? handedOut(stream, before.deliveredSequence()) : List.of();
                if (before.equals(counts(stream))) {
                    return Optional.of(new QueueCensus(before.dead(), before.ackPending(), handedOut));
                }
            }
            return Optional.empty();
        } catch (JetStreamApiException e) {
            if (e.getApiErrorCode() == ApiErrors.STREAM_NOT_FOUND
                    || e.getApiErrorCode() == ApiErrors.CONSUMER_NOT_FOUND) {
                return Optional.of(QueueCensus.NOTHING);
            }
            throw new QueueUnavailableException("JetStream answered: " + e.getMessage(), e);
        }
    }

    private Counts counts(String stream) throws JetStreamApiException {
        return nats.manage(management -> counts(management, stream));
    }

    private static Counts counts(JetStreamManagement management, String stream)
            throws IOException, JetStreamApiException {
        final ConsumerInfo consumer = management.getConsumerInfo(stream, Subjects.WORKERS_DURABLE);
        final StreamState state = management.getStreamInfo(stream).getStreamState();
        return new Counts(
                state.getMsgCount(),
                state.getLastSequence(),
                consumer.getNumPending(),
                consumer.getNumAckPending(),
                consumer.getDelivered().getConsumerSequence(),
                consumer.getDelivered().getStreamSequence(),
                consumer.getAckFloor().getConsumerSequence());
    }

    private List<QueuedTask> handedOut(String stream, long lastDelivered) throws JetStreamApiException {
        final List<QueuedTask> tasks = new ArrayList<>();
        Optional<MessageInfo> message = leader.next(stream, 1, ">");
        while (message.isPresent() && message.get().getSeq() <= lastDelivered && tasks.size() < MOST_MESSAGES) {
            tasks.add(task(message.get()));
            message = leader.next(stream, message.get().getSeq() + 1, ">");
        }
        return tasks;
    }

    Optional<QueuedTask> at(String stream, long sequence) {
        try {
            return leader.at(stream, sequence).map(CensusReader::task);
        } catch (JetStreamApiException e) {
            if (e.getApiErrorCode() == ApiErrors.STREAM_NOT_FOUND) {
                return Optional.empty();
            }
            throw new QueueUnavailableException("JetStream answered: " + e.getMessage(), e);
        }
    }

    private static QueuedTask task(MessageInfo message) {
        return new QueuedTask(
                message.getSeq(), taskId(message.getData()), message.getTime().toInstant());
    }

    /** The id in the body: an outside producer's subject has none. */
    private static String taskId(byte[] body) {
        try {
            final String id =
                    TaskMessage.parse(body == null ? new byte[0] : body).taskId();
            return id == null ? "" : id;
        } catch (UnreadableMessageException e) {
            return "";
        }
    }
}
