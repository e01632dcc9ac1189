package dev.codeforge.jetstream;

import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;

/**
 * The streams of pools and their messages. Every method throws {@link QueueUnavailableException} when NATS does not
 * answer.
 */
public interface TaskQueue {

    /**
     * Creates the stream and its consumer, or corrects their configuration; a consumer is never deleted and recreated.
     * A correct queue costs reads only.
     *
     * @throws SubjectTakenException when another stream has the subject
     * @throws QueueRefusedException when the server refuses a setting
     */
    Sample ensure(Settings settings);

    /**
     * The state of the stream and its consumer, by reads only; empty when either is missing.
     *
     * @param wanted compared without the pause, which is in the sample
     * @throws SubjectTakenException when the stream belongs to another installation
     */
    Optional<Inspection> inspect(Settings wanted);

    /** Reads the consumer's counts in one request; empty when the consumer or the stream is missing. */
    Optional<Sample> sample(String stream);

    /** The message on the subject, read from the leader, so that absence is reliable. */
    Optional<StandingMessage> standing(String stream, String subject);

    /** Publishes with the message's id, expecting an empty subject and this stream. */
    PublishOutcome publish(String stream, OutgoingTask task);

    /** Removes the message on the subject, waiting or running. No message is no error. */
    void purge(String stream, String subject);

    /** The message with this sequence, read from the leader; empty when it or the stream is missing. */
    Optional<QueuedTask> at(String stream, long sequence);

    /**
     * Counts the queue to find exhausted messages; empty when the queue changed during the count: count again later.
     */
    Optional<QueueCensus> census(String stream);

    /** Removes the message with this sequence, waiting or running. A missing message is no error. */
    void remove(String stream, long sequence);

    /** Subjects that have a message; empty when the stream is missing. */
    Set<String> standingSubjects(String stream);

    /** Whether the stream exists and this installation created it. */
    boolean owns(String stream, String installation);

    /** Deletes the stream with its contents. A missing stream is no error. */
    void delete(String stream);

    /**
     * The wanted configuration of a pool's stream and its durable consumer.
     *
     * @param subject the stream takes it and the same with one more token
     * @param inMemory memory storage instead of file
     * @param replicas copies; empty for 3 on a cluster of three or more servers, else 1
     * @param ackWait how long a worker may be silent
     * @param maxAckPending tasks that may run at once in the whole pool
     * @param paused the consumer delivers nothing while true
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
     * Counts of a pool's consumer, read from its leader.
     *
     * @param waiting messages that no worker has taken
     * @param running messages that a worker holds, or that wait for redelivery
     */
    record Sample(long waiting, long running, boolean paused) {
        public long demand() {
            return waiting + running;
        }
    }

    /** @param asWanted whether {@link #ensure} would change nothing but the pause */
    record Inspection(Sample sample, boolean asWanted) {}

    /** A task message ready to send; the message id and the expectations are set by {@link #publish}. */
    record OutgoingTask(String subject, String messageId, Map<String, String> headers, byte[] body) {}

    /** The server's answer to a publish. */
    sealed interface PublishOutcome {
        /** Stored now. */
        record Stored(long sequence) implements PublishOutcome {}

        /**
         * The server has seen this message id before: success only if the message is still in the stream or was run.
         */
        record Duplicate(long sequence) implements PublishOutcome {}

        /** The subject already has a message: read it. */
        record Occupied() implements PublishOutcome {}

        /** The stream has reached its limit; the task stays Pending. */
        record Full() implements PublishOutcome {}

        /** Larger than the server's limit; nothing was sent. */
        record TooLarge(long bytes, long most) implements PublishOutcome {}

        /** No stream, or another one than expected, takes the subject: create the pool's queue first. */
        record NoQueue() implements PublishOutcome {}
    }

    /**
     * A task's message in the pool's stream, waiting or held by a worker.
     *
     * @param installation whose operator published it; empty for an outside producer's
     * @param namespace of the AgentTask that it was published for
     * @param name of that AgentTask
     */
    record StandingMessage(long sequence, String installation, String namespace, String name, int attempt) {}

    /**
     * Any message in a pool's stream, also an outside producer's.
     *
     * @param taskId empty when the message has none
     * @param stored when the server stored it
     */
    record QueuedTask(long sequence, String taskId, Instant stored) {}

    /** The subjects of a pool overlap those of another stream. */
    final class SubjectTakenException extends RuntimeException {
        private static final long serialVersionUID = 1L;
        private final String owner;

        /** @param owner name of the stream that has the subject; empty when the server did not report it */
        public SubjectTakenException(String subject, String owner) {
            super("subject " + subject + " is taken by stream " + (owner.isEmpty() ? "(unknown)" : owner));
            this.owner = owner;
        }

        public String owner() {
            return owner;
        }
    }
}
