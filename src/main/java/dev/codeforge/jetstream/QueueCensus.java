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
 * A count of a pool's queue, taken while nothing moved. The server tells how many messages are exhausted, never which: those
 * that were handed out are either exhausted or in hand, and who is in hand is asked on {@code holder.<task_id>}.
 *
 * @param dead messages that were handed out as often as the consumer allows: it will never hand them out again
 * @param inHand messages that a worker has, or that wait to be handed out again
 * @param handedOut messages that stand and were handed out at least once; not all of them when there are very many
 */
public record QueueCensus(long dead, long inHand, List<QueuedTask> handedOut) {
    /** One request each: a queue with more of them is looked at in part. */
    private static final int MOST_MESSAGES = 5_000;

    private static final int TRIES = 3;

    static final QueueCensus NOTHING = new QueueCensus(0, 0, List.of());

    public QueueCensus {
        handedOut = List.copyOf(handedOut);
    }

    /** Messages whose holder is to be asked for before {@link #exhausted} can tell; none when it needs no answer. */
    public List<QueuedTask> toAsk() {
        return dead > 0 && inHand > 0 && handedOut.size() == dead + inHand ? handedOut : List.of();
    }

    /**
     * Sequences of the exhausted messages; empty when there are none, or while it cannot be told which they are. A message
     * that waits for its next delivery has no holder either: only when exactly as many lack one as are dead, those are.
     *
     * @param held sequences whose task somebody runs
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

    /** Every number that changes when a message comes, is handed out or goes. */
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

    /** Empty when the queue moved at each try. */
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
