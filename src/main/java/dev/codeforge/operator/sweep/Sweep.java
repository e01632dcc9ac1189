package dev.codeforge.operator.sweep;

/** Checks everything of one kind, for what no event reported. */
public interface Sweep {
    /** Throws {@link dev.codeforge.jetstream.QueueUnavailableException} when NATS is away; it is called again. */
    void run();
}
