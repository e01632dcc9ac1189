package dev.codeforge.jetstream;

/** A consumer at work, on a thread of its own. */
public interface Consumption extends AutoCloseable {
    /** Whether its thread has come round within the last minutes; an outage of NATS does not keep it from that. */
    boolean isAlive();

    @Override
    void close();
}
