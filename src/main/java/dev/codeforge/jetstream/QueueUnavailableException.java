package dev.codeforge.jetstream;

/** NATS did not answer, or could not: the same call may succeed later. Whether this one had an effect is unknown. */
public final class QueueUnavailableException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public QueueUnavailableException(String message, Throwable cause) {
        super(message, cause);
    }

    public QueueUnavailableException(String message) {
        super(message);
    }
}
