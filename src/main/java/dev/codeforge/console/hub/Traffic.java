package dev.codeforge.console.hub;

import java.time.Duration;

/** Metrics of the hub. */
public interface Traffic {
    /** @param waited how long the first of the messages was in its client's queue */
    void sent(int messages, Duration waited);

    void gap();

    void dropped();
}
