package dev.codeforge.operator.sweep;

/** A look at everything of one kind, for what no event told. */
public interface Sweep {
    /** Throws {@link dev.codeforge.jetstream.QueueUnavailableException} when NATS is away; it is called again. */
    void run();
}
