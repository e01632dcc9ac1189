package dev.codeforge.operator.scaling;

import dev.codeforge.jetstream.TaskQueue;
import java.time.Duration;
import java.util.Optional;

/**
 * When a queued task is begun.
 *
 * @param place in the queue, from 1
 * @param startsIn estimated time until a worker takes it; empty when there is no worker or no run has ended yet
 */
public record QueueForecast(long place, Optional<Duration> startsIn) {

    /**
     * Of the workers that there are now; those that are added make it earlier. A slot ends its task, on average, every
     * service time, so that the whole pool ends one every service time / slots.
     *
     * @param workers ready ones
     * @param tasksPerWorker 1 or more
     * @param ahead waiting tasks that are taken before it, 0 or more
     */
    public static QueueForecast of(
            TaskQueue.Sample sample, int workers, int tasksPerWorker, Optional<Duration> serviceTime, long ahead) {
        final long slots = (long) workers * tasksPerWorker;
        final long endsBefore = ahead + 1 - Math.max(0, slots - sample.running());
        return new QueueForecast(ahead + 1, startsIn(slots, endsBefore, serviceTime));
    }

    private static Optional<Duration> startsIn(long slots, long endsBefore, Optional<Duration> serviceTime) {
        if (slots == 0) {
            return Optional.empty();
        }
        return endsBefore <= 0
                ? Optional.of(Duration.ZERO)
                : serviceTime.map(run -> run.multipliedBy(endsBefore).dividedBy(slots));
    }
}
