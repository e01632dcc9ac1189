package dev.codeforge.operator.pool.workers;

import dev.codeforge.operator.status.Reason;
import java.time.Duration;
import java.time.Instant;

/**
 * Why a worker does not start.
 *
 * @param mayPass Kubernetes tries again, and another try may succeed without a correction
 */
public record StartTrouble(Reason reason, String message, boolean mayPass) {
    /** Time that Kubernetes needs for one or two more tries. */
    private static final Duration PATIENCE = Duration.ofSeconds(15);

    /** @param since when the pool's workers were first seen not to start, by the operator's clock */
    public record Seen(StartTrouble trouble, Instant since) {
        /** True if the trouble needs a correction, or has not passed in time. */
        public boolean lasts(Instant now) {
            return !trouble.mayPass() || !now.isBefore(since.plus(PATIENCE));
        }
    }
}
