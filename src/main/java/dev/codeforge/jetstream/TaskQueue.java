package dev.codeforge.jetstream;

import java.util.Optional;
import java.util.Set;

/**
 * The streams of pools and the messages in them. Every method throws {@link QueueUnavailableException} when NATS does not
 * answer.
 */
public interface TaskQueue {

    /**
     * Makes the stream and its consumer, or corrects what drifted; consumers are never deleted and made again. A settled
     * queue costs reads only.
     *
     * @throws SubjectTakenException when another stream has the subject
     * @throws QueueRefusedException when the server refuses a setting
     */
    QueueSample ensure(QueueSettings settings);

    /** A look at the consumer alone, one request; empty when it, or the stream, is missing. */
    Optional<QueueSample> sample(String stream);

    /** The message on the subject, read from the leader: absence is to be believed. */
    Optional<StandingMessage> standing(String stream, String subject);

    /** Publishes with the message's id and expects an empty subject and this stream. */
    PublishOutcome publish(String stream, OutgoingTask task);

    /** Removes what stands on the subject, waiting or running. Nothing there is no error. */
    void purge(String stream, String subject);

    /** The message with this sequence, read from the leader; empty when it, or the stream, is gone. */
    Optional<QueuedTask> at(String stream, long sequence);

    /** Counts the queue to find exhausted messages; empty when it moved all the while: count again later. */
    Optional<QueueCensus> census(String stream);

    /** Removes the message with this sequence, waiting or running. Nothing there is no error. */
    void remove(String stream, long sequence);

    /** Subjects on which a message stands; empty when the stream is missing. */
    Set<String> standingSubjects(String stream);

    /** Whether the stream exists and this installation made it. */
    boolean owns(String stream, String installation);

    /** Deletes the stream with all that is in it. Missing is no error. */
    void delete(String stream);
}
