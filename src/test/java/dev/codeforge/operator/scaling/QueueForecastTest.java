package dev.codeforge.operator.scaling;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.jetstream.TaskQueue;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class QueueForecastTest {
    private static final Optional<Duration> MINUTE = Optional.of(Duration.ofSeconds(60));

    @Test
    void aTaskThatFindsAFreePlaceStartsAtOnce() {
        assertThat(forecast(1, 1, 2, 1, 0)).isEqualTo(new QueueForecast(1, Optional.of(Duration.ZERO)));
        assertThat(QueueForecast.of(queue(1, 0), 1, 1, Optional.empty(), 0).startsIn())
                .contains(Duration.ZERO);
    }

    @Test
    void theTaskBehindAFullPoolWaitsForOneToEnd() {
        assertThat(forecast(1, 2, 1, 2, 0).startsIn()).contains(Duration.ofSeconds(30));
    }

    @Test
    void theLastOfManyWaitsForAllBeforeIt() {
        assertThat(forecast(100, 10, 10, 1, 99))
                .isEqualTo(new QueueForecast(100, Optional.of(Duration.ofSeconds(600))));
    }

    @Test
    void freePlacesAreTakenByThoseAhead() {
        assertThat(forecast(10, 2, 4, 1, 1).startsIn()).contains(Duration.ZERO);
        assertThat(forecast(10, 2, 4, 1, 2).startsIn()).contains(Duration.ofSeconds(15));
    }

    @Test
    void withoutAWorkerNothingIsForetold() {
        assertThat(forecast(1, 0, 0, 1, 0)).isEqualTo(new QueueForecast(1, Optional.empty()));
    }

    @Test
    void withoutARunTimeNothingIsForetoldOfAFullPool() {
        assertThat(QueueForecast.of(queue(1, 2), 2, 1, Optional.empty(), 0).startsIn())
                .isEmpty();
    }

    private static QueueForecast forecast(long waiting, long running, int workers, int tasksPerWorker, long ahead) {
        return QueueForecast.of(queue(waiting, running), workers, tasksPerWorker, MINUTE, ahead);
    }

    private static TaskQueue.Sample queue(long waiting, long running) {
        return new TaskQueue.Sample(waiting, running, false);
    }
}
