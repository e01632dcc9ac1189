package dev.codeforge.testing.faults;

import java.time.Duration;

/** A fault that waits for its request. Closed, it waits no more. */
public interface Injection extends AutoCloseable {
    /** Requests of its kind so far, faulty or not. */
    int seen();

    /** Returns when the first request met the fault; its action may still be under way. */
    void awaitHit(Duration patience);

    @Override
    void close();
}
