package dev.codeforge.testing;

import dev.codeforge.console.hub.Traffic;
import java.time.Duration;

/** For tests of what is sent, not of how it is counted. */
public final class UncountedTraffic implements Traffic {
    @Override
    public void sent(int messages, Duration waited) {}

    @Override
    public void gap() {}

    @Override
    public void dropped() {}
}
