package dev.codeforge.jetstream;

import java.util.Optional;

/** Messages that will not be run, kept with the reason. */
public interface DeadLetters {

    /** Number of dead letters of a pool. */
    long count(String namespace, String pool);

    /** The newest dead letter of a pool. */
    Optional<DeadLetter> last(String namespace, String pool);

    /** Copies every message that stands in the stream to the dead letters, with this reason; returns how many. */
    int buryAll(String namespace, String pool, String stream, String reason, String detail);

    /** @param taskId empty when the message did not tell */
    record DeadLetter(long sequence, String reason, String detail, String taskId, String originSubject) {}
}
