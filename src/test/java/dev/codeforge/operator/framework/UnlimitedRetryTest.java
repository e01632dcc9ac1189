package dev.codeforge.operator.framework;

import static org.assertj.core.api.Assertions.assertThat;

import io.javaoperatorsdk.operator.processing.retry.RetryExecution;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

final class UnlimitedRetryTest {
    private final RetryExecution execution = new UnlimitedRetry().initExecution();

    @Test
    void itNeverGivesUpAndNeverWaitsLongerThanAMinute() {
        for (int attempt = 1; attempt <= 10_000; attempt++) {
            assertThat(execution.nextDelay())
                    .hasValueSatisfying(delay -> assertThat(delay).isBetween(1L, 60_000L));
            assertThat(execution.isLastAttempt()).isFalse();
            assertThat(execution.getAttemptCount()).isEqualTo(attempt);
        }
    }

    @Test
    void itBeginsWithinHalfASecondAndDoubles() {
        assertThat(execution.nextDelay().orElseThrow()).isBetween(250L, 500L);
        assertThat(execution.nextDelay().orElseThrow()).isBetween(500L, 1000L);
        assertThat(execution.nextDelay().orElseThrow()).isBetween(1000L, 2000L);
    }

    @Test
    void thoseThatFailTogetherDoNotReturnTogether() {
        assertThat(LongStream.range(0, 100)
                        .map(i ->
                                new UnlimitedRetry().initExecution().nextDelay().orElseThrow())
                        .distinct()
                        .count())
                .isGreaterThan(20);
    }

    @Test
    void eachFailureBeginsItsOwnSeries() {
        final UnlimitedRetry retry = new UnlimitedRetry();
        final RetryExecution worn = retry.initExecution();
        for (int i = 0; i < 20; i++) {
            worn.nextDelay();
        }
        assertThat(retry.initExecution().nextDelay().orElseThrow()).isLessThanOrEqualTo(500L);
    }
}
