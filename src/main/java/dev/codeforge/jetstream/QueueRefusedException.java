package dev.codeforge.jetstream;

/** The server refuses what was asked, for a reason that only a changed setting mends: its own words are the message. */
public final class QueueRefusedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public QueueRefusedException(String message, Throwable cause) {
        super(message, cause);
    }
}
