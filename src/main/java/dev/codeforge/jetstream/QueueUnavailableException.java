package dev.codeforge.jetstream;

/** NATS did not answer, or could not: the same call may succeed later. Nothing is known of what it did. */
public final class QueueUnavailableException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public QueueUnavailableException(String message, Throwable cause) {
        super(message, cause);
    }

    public QueueUnavailableException(String message) {
        super(message);
    }
}
