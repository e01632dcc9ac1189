package dev.codeforge.soak;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;

/** Doing things again while servers are away. */
final class Patience {
    /** Of a loaded machine, where an operator takes half a minute to start, and is killed again. */
    private static final Duration LONGEST = Duration.ofMinutes(6);

    private Patience() {}

    /** The call's result, as soon as it does not throw. */
    static <T> T until(String what, Callable<T> call) {
        final Instant end = Instant.now().plus(LONGEST);
        while (true) {
            try {
                return call.call();
            } catch (Exception e) {
                if (Instant.now().isAfter(end)) {
                    throw new IllegalStateException(what + " did not succeed within " + LONGEST, e);
                }
                sleep(Duration.ofMillis(300));
            }
        }
    }

    static void sleep(Duration time) {
        LockSupport.parkNanos(time.toNanos());
    }
}
