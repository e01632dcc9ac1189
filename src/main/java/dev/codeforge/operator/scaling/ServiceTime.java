package dev.codeforge.operator.scaling;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * How long a pool's tasks run, by its latest runs; immutable.
 *
 * @param finished durations of ended runs, the newest last; only the latest {@value #KEPT} are kept
 */
public record ServiceTime(List<Duration> finished) {
    static final int KEPT = 20;

    public ServiceTime {
        finished = List.copyOf(finished.subList(Math.max(0, finished.size() - KEPT), finished.size()));
    }

    /**
     * The mean run. A task that already runs longer than the ended ones did on average counts as if it ended now, so
     * that the first long task is noticed while it runs; a task that has run for less does not count yet.
     *
     * @param running for how long each unfinished task has been run
     * @return empty until a run has ended: then a task's place cannot wait for another's end
     */
    public Optional<Duration> estimate(List<Duration> running) {
        if (finished.isEmpty()) {
            return Optional.empty();
        }
        final Duration mean = mean(finished);
        return Optional.of(
                mean(Stream.concat(finished.stream(), running.stream().filter(elapsed -> elapsed.compareTo(mean) > 0))
                        .toList()));
    }

    private static Duration mean(List<Duration> runs) {
        return runs.stream().reduce(Duration.ZERO, Duration::plus).dividedBy(runs.size());
    }
}
