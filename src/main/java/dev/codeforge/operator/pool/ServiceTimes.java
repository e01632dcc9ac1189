package dev.codeforge.operator.pool;

import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.jetstream.QueueUnavailableException;
import dev.codeforge.operator.index.TaskIndex;
import dev.codeforge.operator.scaling.ServiceTime;
import dev.codeforge.operator.time.Clocks;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** How long the tasks of pools run, computed from their AgentTasks, so that a restart loses nothing. */
final class ServiceTimes {
    /** Reading thousands of tasks at each event would be slow. */
    private static final Duration VALID = Duration.ofSeconds(5);

    private final TaskIndex tasks;
    private final Clock clock;
    private final Clock nats;

    private record Known(Instant time, Optional<Duration> estimate) {}

    /** The state kept for one pool's tasks. */
    static final class Memory {
        private Optional<Known> known = Optional.empty();
    }

    ServiceTimes(TaskIndex tasks, Clocks clocks) {
        this.tasks = tasks;
        this.clock = clocks.own();
        this.nats = clocks.nats();
    }

    Optional<Duration> of(WorkerPool pool, Memory memory) {
        final Instant now = clock.instant();
        final Known known = memory.known
                .filter(before -> now.isBefore(before.time().plus(VALID)))
                .orElseGet(() -> new Known(now, estimate(pool)));
        memory.known = Optional.of(known);
        return known.estimate();
    }

    private Optional<Duration> estimate(WorkerPool pool) {
        final List<AgentTaskStatus> begun =
                tasks.of(pool.getMetadata().getNamespace(), pool.getMetadata().getName()).stream()
                        .flatMap(task -> task.observedStatus().stream())
                        .filter(status -> status.startTime() != null)
                        .toList();
        return new ServiceTime(begun.stream()
                        // A task that fails at once does not show how long the work takes.
                        .filter(status -> status.phase() == Phase.Succeeded && status.completionTime() != null)
                        .sorted(Comparator.comparing(AgentTaskStatus::completionTime))
                        .map(status -> Duration.between(status.startTime(), status.completionTime()))
                        .toList())
                .estimate(begun.stream()
                        .filter(status -> status.phase() == Phase.Running)
                        .flatMap(status -> ranFor(status).stream())
                        .toList());
    }

    /** Unknown while NATS has never answered. */
    private Optional<Duration> ranFor(AgentTaskStatus status) {
        try {
            return Optional.of(Duration.between(status.startTime(), nats.instant()));
        } catch (QueueUnavailableException e) {
            return Optional.empty();
        }
    }
}
