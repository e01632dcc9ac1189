package dev.codeforge.wire;

/** A message that violates the protocol. */
public final class UnreadableMessageException extends Exception {
    private static final long serialVersionUID = 1L;

    public UnreadableMessageException(String message) {
        super(message);
    }
}
