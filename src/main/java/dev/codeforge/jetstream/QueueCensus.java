package dev.codeforge.jetstream;

import dev.codeforge.jetstream.TaskQueue.QueuedTask;
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
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A consistent count of a pool's queue. The server reports how many messages are exhausted, but not which: a delivered
 * message is either exhausted or pending, and {@code holder.<task_id>} says which are held.
 *
 * @param dead number of messages that reached the consumer's delivery limit: it never delivers them again
 * @param inHand number of messages that a worker holds, or that wait for redelivery
 * @param handedOut messages in the stream that were delivered at least once; incomplete if there are very many
 */
public record QueueCensus(long dead, long inHand, List<QueuedTask> handedOut) {
    /** Each message costs a request, so a longer queue is read in part. */
    private static final int MOST_MESSAGES = 5_000;

    private static final int TRIES = 3;

    static final QueueCensus NOTHING = new QueueCensus(0, 0, List.of());

    public QueueCensus {
        handedOut = List.copyOf(handedOut);
    }

    /**
     * Messages whose holder must be known before {@link #exhausted} can decide; none when the answer does not need it.
     */
    public List<QueuedTask> toAsk() {
        return dead > 0 && inHand > 0 && handedOut.size() == dead + inHand ? handedOut : List.of();
    }

    /**
     * Sequences of the exhausted messages; empty when there are none, or while they cannot be identified. A message
     * that waits for redelivery has no holder either, so the result is only certain if as many messages lack a holder
     * as are dead.
     *
     * @param held sequences whose task a worker holds
     */
    public Set<Long> exhausted(Set<Long> held) {
        if (dead <= 0) {
            return Set.of();
        }
        final Set<Long> standing = handedOut.stream().map(QueuedTask::sequence).collect(Collectors.toSet());
        if (inHand == 0) {
            return standing.size() <= dead ? standing : Set.of();
        }
        if (standing.size() != dead + inHand) {
            return Set.of();
        }
        standing.removeAll(held);
        return standing.size() == dead ? standing : Set.of();
    }

    /** Every number that changes when a message arrives, is delivered or removed. */
    private record Counts(
            long messages,
            long lastSequence,
            long pending,
            long ackPending,
            long deliveries,
            long deliveredSequence,
            long acknowledged) {
        static Counts of(JetStreamManagement management, String stream) throws IOException, JetStreamApiException {
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

        long dead() {
            return messages - pending - ackPending;
        }
    }

    /** Empty when the queue changed during every try. */
    static Optional<QueueCensus> take(NatsConnection nats, String stream) {
        for (int i = 0; i < TRIES; i++) {
            final Optional<Counts> before = counts(nats, stream);
            if (before.isEmpty()) {
                return Optional.of(NOTHING);
            }
            final List<QueuedTask> handedOut = before.get().dead() > 0
                    ? handedOut(nats, stream, before.get().deliveredSequence())
                    : List.of();
            if (before.equals(counts(nats, stream))) {
                return Optional.of(
                        new QueueCensus(before.get().dead(), before.get().ackPending(), handedOut));
            }
        }
        return Optional.empty();
    }

    private static Optional<Counts> counts(NatsConnection nats, String stream) {
        return nats.find(management -> Counts.of(management, stream));
    }

    private static List<QueuedTask> handedOut(NatsConnection nats, String stream, long lastDelivered) {
        final StreamMessages leader = new StreamMessages(nats);
        final List<QueuedTask> tasks = new ArrayList<>();
        Optional<MessageInfo> message = leader.next(stream, 1, ">");
        while (message.isPresent() && message.get().getSeq() <= lastDelivered && tasks.size() < MOST_MESSAGES) {
            tasks.add(task(message.get()));
            message = leader.next(stream, message.get().getSeq() + 1, ">");
        }
        return tasks;
    }

    static QueuedTask task(MessageInfo message) {
        return new QueuedTask(
                message.getSeq(), taskId(message.getData()), message.getTime().toInstant());
    }

    /** The id from the body, because an outside producer's subject has none. */
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
