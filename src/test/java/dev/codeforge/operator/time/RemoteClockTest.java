package dev.codeforge.operator.time;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Another machine's time, told by it now and then. */
final class RemoteClockTest {
    private static final Instant NOON = Instant.parse("2026-11-24T12:00:00Z");

    private final AtomicLong nanos = new AtomicLong(Long.MAX_VALUE - 5);
    private final AtomicLong questions = new AtomicLong();
    private Instant there = NOON;
    private Duration answerTakes = Duration.ZERO;
    private boolean away;
    private final RemoteClock clock = new RemoteClock(
            () -> {
                questions.incrementAndGet();
                if (away) {
                    throw new IllegalStateException("away");
                }
                final Instant told = there;
                passes(answerTakes);
                return told;
            },
            nanos::get);

    private void passes(Duration time) {
        nanos.addAndGet(time.toNanos());
        there = there.plus(time);
    }

    @Test
    void itIsAskedOnceAMinuteAndCountedOnInBetween() {
        assertThat(clock.instant()).isEqualTo(NOON);
        passes(Duration.ofSeconds(59));
        assertThat(clock.instant()).isEqualTo(NOON.plusSeconds(59));
        assertThat(questions).hasValue(1);
        passes(Duration.ofSeconds(1));
        assertThat(clock.instant()).isEqualTo(NOON.plusSeconds(60));
        assertThat(questions).hasValue(2);
    }

    @Test
    void aClockThatIsSetThereIsFollowed() {
        clock.instant();
        there = NOON.plus(Duration.ofMinutes(10));
        assertThat(clock.instant()).isEqualTo(NOON);
        passes(Duration.ofMinutes(1));
        assertThat(clock.instant()).isEqualTo(NOON.plus(Duration.ofMinutes(11)));
    }

    @Test
    void anotherMachineIsAskedAtOnce() {
        clock.instant();
        there = NOON.minus(Duration.ofMinutes(10));
        clock.askAnew();
        assertThat(clock.instant()).isEqualTo(there);
    }

    @Test
    void whileItIsAwayItsLastWordIsCountedOn() {
        clock.instant();
        away = true;
        passes(Duration.ofHours(2));
        assertThat(clock.instant()).isEqualTo(NOON.plus(Duration.ofHours(2)));
        assertThat(clock.instant()).isEqualTo(NOON.plus(Duration.ofHours(2)));
        // Not with each look at a task.
        assertThat(questions).hasValue(2);
    }

    @Test
    void whatHasNeverAnsweredHasNoTime() {
        away = true;
        assertThatThrownBy(clock::instant).hasMessage("away");
        away = false;
        assertThat(clock.instant()).isEqualTo(NOON);
    }

    @Test
    void anAnswerThatWasLongOnItsWayIsNotBelieved() {
        clock.instant();
        passes(Duration.ofMinutes(1));
        answerTakes = Duration.ofSeconds(20);
        // As of a process that was stopped while the answer came.
        assertThat(clock.instant()).isEqualTo(NOON.plusSeconds(80));
        answerTakes = Duration.ZERO;
        passes(Duration.ofSeconds(10));
        assertThat(clock.instant()).isEqualTo(NOON.plusSeconds(90));
        assertThat(questions).hasValue(3);
    }

    @Test
    void aFirstAnswerThatWasLongOnItsWayIsTakenAndAskedForAgainSoon() {
        answerTakes = Duration.ofSeconds(20);
        // Behind, so that no deadline passes early.
        assertThat(clock.instant()).isEqualTo(NOON);
        answerTakes = Duration.ZERO;
        passes(Duration.ofSeconds(10));
        assertThat(clock.instant()).isEqualTo(NOON.plusSeconds(30));
    }
}
