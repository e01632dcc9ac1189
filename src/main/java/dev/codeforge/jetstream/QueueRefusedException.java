package dev.codeforge.jetstream;

/** The server refuses a request until a setting is changed. The message is the server's own. */
public final class QueueRefusedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public QueueRefusedException(String message, Throwable cause) {
        super(message, cause);
    }
}
