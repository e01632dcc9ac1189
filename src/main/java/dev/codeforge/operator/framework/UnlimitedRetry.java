package dev.codeforge.operator.framework;

import io.javaoperatorsdk.operator.processing.retry.Retry;
import io.javaoperatorsdk.operator.processing.retry.RetryExecution;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Retries for ever, from half a second doubling to a minute, with jitter, so that no outage leaves a resource behind.
 */
public final class UnlimitedRetry implements Retry {
    private static final long FIRST_MILLIS = 500;
    private static final long MOST_MILLIS = 60_000;

    @Override
    public RetryExecution initExecution() {
        return new Execution();
    }

    private static final class Execution implements RetryExecution {
        private int attempts;

        @Override
        public Optional<Long> nextDelay() {
            final long delay = Math.min(MOST_MILLIS, FIRST_MILLIS << Math.min(attempts, 20));
            attempts++;
            return Optional.of(ThreadLocalRandom.current().nextLong(delay / 2, delay + 1));
        }

        @Override
        public int getAttemptCount() {
            return attempts;
        }

        @Override
        public boolean isLastAttempt() {
            return false;
        }
    }
}
