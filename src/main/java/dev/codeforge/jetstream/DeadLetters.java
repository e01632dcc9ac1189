package dev.codeforge.jetstream;

import java.util.Optional;
import java.util.function.Consumer;

/** Messages that will not be run, kept with the reason. */
public interface DeadLetters {

    /** Number of dead letters of a pool. */
    long count(String namespace, String pool);

    /** The newest dead letter of a pool. */
    Optional<DeadLetter> last(String namespace, String pool);

    /** Copies every message that stands in the stream to the dead letters, with this reason; returns how many. */
    int buryAll(String namespace, String pool, String stream, String reason, String detail);

    /**
     * Copies a message to the pool's dead letters, calls {@code beforeRemoval} once the copy is stored, and deletes the
     * message when that returns. What is cut in the middle may be called again: the message stands until all is done.
     *
     * @param beforeRemoval writes the task's outcome, for instance; when it throws, the message stays
     * @return empty when nothing stands there
     */
    Optional<Buried> bury(
            String namespace,
            String pool,
            String stream,
            long sequence,
            String reason,
            String detail,
            Consumer<Buried> beforeRemoval);

    /**
     * A message as it stood in the pool's stream.
     *
     * @param taskId as its body tells, empty when it does not
     * @param installation whose operator published it, as the header says; empty for an outside producer's
     * @param attempt 0 when its body does not tell
     * @param dispatchId proves that an operator with the key published it; empty when absent
     */
    record Buried(String subject, String taskId, String installation, int attempt, String dispatchId) {}

    /** @param taskId empty when the message did not tell */
    record DeadLetter(long sequence, String reason, String detail, String taskId, String originSubject) {}
}
