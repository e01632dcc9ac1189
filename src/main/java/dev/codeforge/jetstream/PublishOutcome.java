package dev.codeforge.jetstream;

/** What the server said of a publish. */
public sealed interface PublishOutcome {
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
