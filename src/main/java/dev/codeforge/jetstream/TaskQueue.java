package dev.codeforge.jetstream;

import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
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
    Sample ensure(Settings settings);

    /**
     * How the stream and its consumer stand, by reads alone; empty when either is missing.
     *
     * @param wanted but for whether it is paused, which the sample tells
     * @throws SubjectTakenException when the stream is another installation's
     */
    Optional<Inspection> inspect(Settings wanted);

    /** A look at the consumer alone, one request; empty when it, or the stream, is missing. */
    Optional<Sample> sample(String stream);

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

    /**
     * A pool's stream and its one durable consumer, as wanted.
     *
     * @param subject taken as is and with one more token
     * @param inMemory memory storage instead of file
     * @param replicas copies; empty for 3 on a cluster of three or more servers, else 1
     * @param ackWait how long a worker may be silent
     * @param maxAckPending tasks that may run at once in the whole pool
     * @param paused hands out nothing while true
     */
    record Settings(
            String stream,
            String subject,
            boolean inMemory,
            OptionalInt replicas,
            OptionalLong maxMessages,
            OptionalLong maxBytes,
            Duration ackWait,
            int maxAckPending,
            boolean paused,
            StreamOwner owner) {}

    /**
     * A look at a pool's consumer, answered by its leader.
     *
     * @param waiting messages that no worker has taken
     * @param running messages that a worker holds, or that wait for redelivery
     */
    record Sample(long waiting, long running, boolean paused) {
        public long demand() {
            return waiting + running;
        }
    }

    /** @param asWanted whether {@link #ensure} would find nothing to correct but the pause */
    record Inspection(Sample sample, boolean asWanted) {}

    /** A task message ready to send; the message id and the expectations are set by {@link #publish}. */
    record OutgoingTask(String subject, String messageId, Map<String, String> headers, byte[] body) {}

    /** What the server said of a publish. */
    sealed interface PublishOutcome {
        /** Stored now. */
        record Stored(long sequence) implements PublishOutcome {}

        /** The server knows this message id from before: success only if the message still stands or was run. */
        record Duplicate(long sequence) implements PublishOutcome {}

        /** A message stands on the subject already: look at it. */
        record Occupied() implements PublishOutcome {}

        /** The stream has reached its limit; the task stays Pending. */
        record Full() implements PublishOutcome {}

        /** Larger than the server takes of any message; nothing was sent. */
        record TooLarge(long bytes, long most) implements PublishOutcome {}

        /** No stream takes the subject, or another than the expected one: the pool's queue is to be made first. */
        record NoQueue() implements PublishOutcome {}
    }

    /**
     * A task's message that stands in the pool's stream, waiting or in a worker's hands.
     *
     * @param installation whose operator published it; empty for an outside producer's
     * @param namespace of the AgentTask that it was published for
     * @param name of that AgentTask
     */
    record StandingMessage(long sequence, String installation, String namespace, String name, int attempt) {}

    /**
     * A message that stands in a pool's stream, whoever published it.
     *
     * @param taskId empty when the message does not tell
     * @param stored when the server stored it
     */
    record QueuedTask(long sequence, String taskId, Instant stored) {}

    /** The subjects of a pool overlap those of another stream. */
    final class SubjectTakenException extends RuntimeException {
        private static final long serialVersionUID = 1L;
        private final String owner;

        /** @param owner name of the stream that has the subject; empty when the server did not tell */
        public SubjectTakenException(String subject, String owner) {
            super("subject " + subject + " is taken by stream " + (owner.isEmpty() ? "(unknown)" : owner));
            this.owner = owner;
        }

        public String owner() {
            return owner;
        }
    }
}
