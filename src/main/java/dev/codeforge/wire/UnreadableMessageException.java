package dev.codeforge.wire;

/** A message that is not what the protocol says. */
public final class UnreadableMessageException extends Exception {
    private static final long serialVersionUID = 1L;

    public UnreadableMessageException(String message) {
        super(message);
    }
}
