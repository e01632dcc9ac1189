package dev.codeforge.soak;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.soak.FaultLog.Effect;
import java.time.Instant;
import org.junit.jupiter.api.Test;

/** Which failures a fault explains. */
final class FaultLogTest {
    private final FaultLog log = new FaultLog();

    @Test
    void aFailureNeedsAFaultOfItsTimeAndItsWorker() {
        final Instant before = Instant.now().minusSeconds(1);
        log.run("disk full", "amber-0", Effect.RUNS_FAIL, () -> {});
        final Instant after = Instant.now().plusSeconds(1);
        assertThat(log.explainsFailure("amber-0-3", before, after)).isTrue();
        assertThat(log.explainsFailure("amber-1-3", before, after)).isFalse();
        assertThat(log.explainsFailure("amber-0-3", before.minusSeconds(9), before))
                .isFalse();
        assertThat(log.explainsFailure("amber-0-3", after, after.plusSeconds(9)))
                .isFalse();
    }

    @Test
    void oneWorkerOfAPlaceIsNotAnother() {
        log.run("agent killed", "amber-0-1", Effect.RUNS_FAIL, () -> {});
        assertThat(log.explainsFailure("amber-0-1", Instant.MIN, Instant.MAX)).isTrue();
        assertThat(log.explainsFailure("amber-0-12", Instant.MIN, Instant.MAX)).isFalse();
    }

    @Test
    void theLossOfAWorkerFailsNoAttempt() {
        log.run("worker killed", "amber-0-1", Effect.WORKER_LOST, () -> {});
        assertThat(log.explainsFailure("amber-0-1", Instant.MIN, Instant.MAX)).isFalse();
    }
}
