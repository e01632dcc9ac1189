package dev.codeforge.operator.pool.workers;

import dev.codeforge.operator.status.Reason;
import java.time.Duration;
import java.time.Instant;

/**
 * Why a worker does not start.
 *
 * @param mayPass Kubernetes tries again, and another try may succeed without anybody's doing
 */
public record StartTrouble(Reason reason, String message, boolean mayPass) {
    /** As long as Kubernetes needs for another try or two. */
    private static final Duration PATIENCE = Duration.ofSeconds(15);

    /** @param since when the pool's workers were first seen not to start, by the operator's clock */
    public record Seen(StartTrouble trouble, Instant since) {
        /** Whether somebody has to do something about it. */
        public boolean lasts(Instant now) {
            return !trouble.mayPass() || !now.isBefore(since.plus(PATIENCE));
        }
    }
}
