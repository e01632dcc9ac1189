package dev.codeforge.jetstream;

/** NATS did not answer, or could not: the same call may succeed later. Whether this one had an effect is unknown. */
public final class QueueUnavailableException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final boolean refusal;

    public QueueUnavailableException(String message, Throwable cause) {
        this(message, cause, false);
    }

    public QueueUnavailableException(String message) {
        this(message, null, false);
    }

    private QueueUnavailableException(String message, Throwable cause, boolean refusal) {
        super(message, cause);
        this.refusal = refusal;
    }

    /** NATS has answered, and answers the same until somebody changes something. */
    public static QueueUnavailableException refusal(String message, Throwable cause) {
        return new QueueUnavailableException(message, cause, true);
    }

    /** Whether it lasts until somebody changes something; otherwise it is expected to pass. */
    public boolean isRefusal() {
        return refusal;
    }
}
