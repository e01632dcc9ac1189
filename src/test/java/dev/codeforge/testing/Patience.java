package dev.codeforge.testing;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;

/** How long a test waits. */
public final class Patience {
    /** For what must come: long enough for a sweep, a dead heartbeat and a busy machine; seconds. */
    public static final Duration PATIENCE = Duration.ofSeconds(Integer.getInteger("codeforge.patience", 120));

    private static final long PAUSE_NANOS = Duration.ofMillis(50).toNanos();

    private Patience() {}

    /** For what must not come: fails as soon as the condition does not hold. */
    public static void throughout(Duration time, Callable<Boolean> condition) {
        final Instant begun = Instant.now();
        final Instant end = begun.plus(time);
        do {
            if (!holds(condition)) {
                throw new AssertionError("it held for " + Duration.between(begun, Instant.now()) + " only");
            }
            LockSupport.parkNanos(PAUSE_NANOS);
        } while (Instant.now().isBefore(end));
    }

    private static boolean holds(Callable<Boolean> condition) {
        try {
            return condition.call();
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }
}
