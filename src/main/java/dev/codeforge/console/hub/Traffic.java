package dev.codeforge.console.hub;

import java.time.Duration;

/** What is counted. */
public interface Traffic {
    /** @param waited how long the first of them has waited in the queue of its client */
    void sent(int messages, Duration waited);

    void gap();

    void dropped();
}
