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
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/** How long the tasks of pools run, by their AgentTasks: so a restarted operator knows it too. */
final class ServiceTimes {
    /** Thousands of tasks are not read at each event. */
    private static final Duration VALID = Duration.ofSeconds(5);

    private final Supplier<TaskIndex> tasks;
    private final Clock clock;
    private final Clock nats;
    private final Map<String, Known> known = new ConcurrentHashMap<>();

    private record Known(Instant time, Optional<Duration> estimate) {}

    ServiceTimes(Supplier<TaskIndex> tasks, Clocks clocks) {
        this.tasks = tasks;
        this.clock = clocks.own();
        this.nats = clocks.nats();
    }

    Optional<Duration> of(WorkerPool pool) {
        final Instant now = clock.instant();
        return known.compute(
                        pool.getMetadata().getUid(),
                        (uid, before) ->
                                before != null && now.isBefore(before.time().plus(VALID))
                                        ? before
                                        : new Known(now, estimate(pool)))
                .estimate();
    }

    void forget(String uid) {
        known.remove(uid);
    }

    private Optional<Duration> estimate(WorkerPool pool) {
        final List<AgentTaskStatus> begun =
                tasks
                        .get()
                        .of(
                                pool.getMetadata().getNamespace(),
                                pool.getMetadata().getName())
                        .stream()
                        .flatMap(task -> task.observedStatus().stream())
                        .filter(status -> status.startTime() != null)
                        .toList();
        return new ServiceTime(begun.stream()
                        // One that fails at once tells nothing of how long the work takes.
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
