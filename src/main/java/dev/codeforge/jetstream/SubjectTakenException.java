package dev.codeforge.jetstream;

/** The subjects of a pool overlap those of another stream. */
public final class SubjectTakenException extends RuntimeException {
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
