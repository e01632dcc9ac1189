package dev.codeforge.jetstream;

import java.util.List;
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
}
