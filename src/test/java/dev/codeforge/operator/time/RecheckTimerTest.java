package dev.codeforge.operator.time;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import org.junit.jupiter.api.Test;

final class RecheckTimerTest {
    private static final Instant NOON = Instant.parse("2026-11-24T12:00:00Z");

    private final RecheckTimer<String> timer = new RecheckTimer<>();

    @Test
    void whatWasNeverSeenIsDue() {
        assertThat(timer.isDue("wanted", NOON)).isTrue();
    }

    @Test
    void whatWasSeenIsDueWhenItIsToChangeElseAMinuteLater() {
        timer.seen("wanted", NOON);
        assertThat(timer.isDue("wanted", NOON.plusMillis(59_999))).isFalse();
        assertThat(timer.isDue("another", NOON)).isTrue();
        assertThat(timer.isDue("wanted", NOON.plusSeconds(60))).isTrue();
    }
}
