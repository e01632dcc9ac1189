package dev.codeforge.soak;

import java.time.Duration;
import java.util.Random;

/** Faults one after the other with pauses between, until it is told to end. */
final class Chaos {
    private static final int SHORTEST_PAUSE_MILLIS = 3000;
    private static final int PAUSE_SPREAD_MILLIS = 5000;

    private final Thread thread;
    private volatile boolean ending;
    private volatile RuntimeException failure;

    Chaos(Faults faults, Random random) {
        thread = Thread.ofPlatform().name("chaos").start(() -> {
            while (!ending) {
                try {
                    faults.next();
                } catch (RuntimeException e) {
                    failure = e;
                    return;
                }
                Patience.sleep(Duration.ofMillis(SHORTEST_PAUSE_MILLIS + random.nextInt(PAUSE_SPREAD_MILLIS)));
            }
        });
    }

    /** Returns when the fault that is under way is over and all is whole again. */
    void end() throws InterruptedException {
        ending = true;
        thread.join();
        if (failure != null) {
            throw new IllegalStateException("a fault could not be injected: the result says nothing", failure);
        }
    }
}
