package dev.codeforge.operator.scaling;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class DemandWindowTest {
    private static final Instant START = Instant.parse("2026-11-24T12:00:00Z");
    private static final Duration MINUTE = Duration.ofSeconds(60);

    @Test
    void anEmptyWindowCoversNothing() {
        assertThat(DemandWindow.EMPTY.covers(START, MINUTE)).isFalse();
        assertThat(DemandWindow.EMPTY.covers(START, Duration.ZERO)).isFalse();
        assertThat(DemandWindow.EMPTY.most()).isZero();
    }

    @Test
    void aWindowOfNoLengthIsCoveredByItsOnlySample() {
        assertThat(DemandWindow.EMPTY.add(START, 3, Duration.ZERO).covers(START, Duration.ZERO))
                .isTrue();
    }

    @Test
    void aWindowIsCoveredFromItsFirstSampleOn() {
        final DemandWindow window = DemandWindow.EMPTY.add(START, 3, MINUTE);
        assertThat(window.covers(START.plusSeconds(59), MINUTE)).isFalse();
        assertThat(window.covers(START.plusSeconds(60), MINUTE)).isTrue();
    }

    @Test
    void whatWasWantedWhenTheWindowBeganStillCounts() {
        final DemandWindow window = DemandWindow.EMPTY.add(START, 9, MINUTE).add(START.plusSeconds(100), 1, MINUTE);
        assertThat(window.most()).isEqualTo(9);
    }

    @Test
    void whatLiesBeforeTheWindowIsForgotten() {
        final DemandWindow window = DemandWindow.EMPTY
                .add(START, 9, MINUTE)
                .add(START.plusSeconds(10), 2, MINUTE)
                .add(START.plusSeconds(70), 1, MINUTE);
        assertThat(window.most()).isEqualTo(2);
    }

    @Test
    void aQuietPoolsWindowStaysSmall() {
        DemandWindow window = DemandWindow.EMPTY;
        for (int second = 0; second < 3600; second += 2) {
            window = window.add(START.plusSeconds(second), 1, MINUTE);
        }
        assertThat(window.points()).hasSizeLessThan(5);
    }

    @Test
    void aWindowDoesNotChangeWhenASampleIsAdded() {
        final DemandWindow before = DemandWindow.EMPTY.add(START, 1, MINUTE);
        before.add(START.plusSeconds(1), 2, MINUTE);
        assertThat(before.points()).containsExactly(new DemandWindow.Point(START, 1));
    }

    /** Against the plain definition: the largest of all samples in the window and of the last one before it. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void whateverComesTheMostIsThatOfAllSamples(long seed) {
        final Random random = new Random(seed);
        final TreeMap<Instant, Integer> all = new TreeMap<>();
        DemandWindow window = DemandWindow.EMPTY;
        Instant now = START;
        for (int i = 0; i < 500; i++) {
            now = now.plusSeconds(random.nextInt(10) == 0 ? 50 : random.nextInt(1, 5));
            final int wanted = random.nextInt(3);
            all.put(now, wanted);
            window = window.add(now, wanted, MINUTE);
            final Instant start = now.minus(MINUTE);
            final Instant first = all.floorKey(start) == null ? all.firstKey() : all.floorKey(start);
            assertThat(window.covers(now, MINUTE))
                    .as("covered at %s", now)
                    .isEqualTo(!all.firstKey().isAfter(start));
            assertThat(window.most())
                    .as("most at %s", now)
                    .isEqualTo(all.tailMap(first).values().stream()
                            .max(Integer::compare)
                            .orElseThrow());
        }
    }
}
