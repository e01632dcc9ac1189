package dev.codeforge.operator.scaling;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

final class ServiceTimeTest {

    @Test
    void nothingIsKnownBeforeARunHasEnded() {
        assertThat(new ServiceTime(List.of()).estimate(List.of(seconds(500)))).isEmpty();
    }

    @Test
    void itIsTheMeanOfTheRuns() {
        assertThat(of(10, 20, 60).estimate(List.of())).contains(seconds(30));
    }

    @Test
    void onlyTheLatestTwentyCount() {
        final List<Duration> runs = Stream.concat(
                        of(1000, 1000, 1000).finished().stream(), Collections.nCopies(20, seconds(5)).stream())
                .toList();
        assertThat(new ServiceTime(runs).estimate(List.of())).contains(seconds(5));
        assertThat(new ServiceTime(Collections.nCopies(50, seconds(7))).finished())
                .hasSize(20);
    }

    @Test
    void aTaskThatRunsLongerThanTheMeanRaisesIt() {
        assertThat(of(10, 10, 10).estimate(List.of(seconds(50)))).contains(seconds(20));
    }

    @Test
    void aTaskThatHasJustBegunTellsNothing() {
        assertThat(of(10, 10).estimate(List.of(seconds(1), seconds(10)))).contains(seconds(10));
    }

    private static ServiceTime of(int... runs) {
        return new ServiceTime(
                IntStream.of(runs).mapToObj(ServiceTimeTest::seconds).toList());
    }

    private static Duration seconds(int seconds) {
        return Duration.ofSeconds(seconds);
    }
}
