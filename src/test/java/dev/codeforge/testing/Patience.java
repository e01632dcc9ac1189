package dev.codeforge.testing;

import java.time.Duration;

/** How long a test waits for what must come: long enough for a sweep, a dead heartbeat and a busy machine. */
public final class Patience {
    public static final Duration PATIENCE = Duration.ofSeconds(120);

    private Patience() {}
}
