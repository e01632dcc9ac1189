package dev.codeforge.operator.task;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.operator.task.admission.Backlog;
import dev.codeforge.operator.task.status.EffectiveSettings;
import dev.codeforge.operator.task.status.EventToStatus;
import dev.codeforge.operator.task.status.StopReason;
import dev.codeforge.operator.time.Clocks;
import dev.codeforge.wire.TaskEvent;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The deadlines of a task: queue, run, stop, retry, time to live. Judged on a fresh read of NATS only, and by NATS' clock: all
 * times of the status are its times.
 */
final class TaskDeadlines {
    /** A worker enforces the run timeout itself; the operator waits for it this much longer than its heartbeat. */
    private static final Duration GRACE = Duration.ofSeconds(30);
    /** How often a holder that was asked to stop is asked again, and a passed deadline is judged again. */
    private static final Duration JUDGED_AGAIN = Duration.ofSeconds(5);

    /** A worker still answers in the moment before it is killed: its pod's end is no later event. */
    private static final Duration HOLDER_AGAIN = Duration.ofSeconds(2);

    /** A deadline that has passed. */
    private static final Duration AT_ONCE = Duration.ofMillis(1);
    /** A task that waits for its pool or for another task is reconciled even without an event of those. */
    private static final Duration WAITING = Duration.ofSeconds(30);

    private static final int HEARTBEAT_SECONDS = 60;

    private final Clock clock;
    private final Clock apiServer;

    TaskDeadlines(Clocks clocks) {
        this.clock = clocks.nats();
        this.apiServer = clocks.apiServer();
    }

    boolean isDue(AgentTaskStatus status) {
        return status.phase() != Phase.Retrying
                || status.nextAttemptTime() == null
                || !clock.instant().isBefore(status.nextAttemptTime());
    }

    Instant retryAt(TaskEvent failed, AgentTaskStatus.Effective effective, int failures) {
        final Instant end = failed.completionTime() == null ? failed.time() : failed.completionTime();
        if (failed.failure() != null && failed.failure().retryAfterSeconds() != null) {
            // Who failed knows what it waits for, such as the end of a rate limit.
            return end.plusSeconds(failed.failure().retryAfterSeconds());
        }
        final long doubled = (long) effective.retry().backoffSeconds() << Math.min(failures - 1, 20);
        return end.plusSeconds(Math.min(doubled, effective.retry().maxBackoffSeconds()));
    }

    /** Why the attempt must be ended now; empty while it is in time. */
    Optional<StopReason> overrun(TaskSnapshot snapshot, Optional<TaskEvent> event) {
        final AgentTaskStatus.Effective effective = EffectiveSettings.of(snapshot.task(), snapshot.pool());
        if (snapshot.mayRun(event)) {
            final Instant start = EventToStatus.started(snapshot.task().statusOrUnobserved(), event)
                    .orElse(null);
            return passed(runDeadline(start, effective, snapshot.pool()))
                    ? Optional.of(StopReason.runTimeout(effective.runTimeoutSeconds()))
                    : Optional.empty();
        }
        final Optional<Instant> last =
                lastStart(snapshot.task(), snapshot.task().statusOrUnobserved(), event.isPresent());
        if (passed(last)) {
            return last.map(StopReason::notAfter);
        }
        // A task that was given back waits from then on.
        final Instant given = event.map(TaskEvent::time).orElse(Instant.EPOCH);
        final Optional<Instant> deadline = beginsNow(snapshot.task())
                ? Optional.empty()
                : queueDeadline(snapshot.task(), snapshot.task().statusOrUnobserved(), effective)
                        .map(at -> later(at, given, effective));
        return passed(deadline)
                ? Optional.of(StopReason.queueTimeout(effective.queueTimeoutSeconds()))
                : Optional.empty();
    }

    /** @param begun a run of the attempt was begun: whoever takes it next goes on */
    private static Optional<Instant> lastStart(AgentTask task, AgentTaskStatus status, boolean begun) {
        return begun || status.isGivenBack()
                ? Optional.empty()
                : Optional.ofNullable(task.getSpec().notAfter());
    }

    boolean isTooLate(AgentTask task, Instant start) {
        return task.getSpec().notAfter() != null && start.isAfter(task.getSpec().notAfter());
    }

    /** An attempt after a suspension or for a rerun is due just now, whatever the status still says. */
    private static boolean beginsNow(AgentTask task) {
        final Phase phase = task.statusOrUnobserved().phase();
        return phase == Phase.Suspended || (phase != null && phase.isTerminal());
    }

    private static Optional<Instant> runDeadline(
            Instant start, AgentTaskStatus.Effective effective, Optional<WorkerPool> pool) {
        return Optional.ofNullable(start)
                .map(begun -> begun.plusSeconds(effective.runTimeoutSeconds()).plus(silence(pool)));
    }

    /** Until when the attempt must have begun. */
    private Optional<Instant> startDeadline(
            AgentTask task, AgentTaskStatus status, AgentTaskStatus.Effective effective) {
        return earliest(queueDeadline(task, status, effective), lastStart(task, status, false));
    }

    private Optional<Instant> queueDeadline(
            AgentTask task, AgentTaskStatus status, AgentTaskStatus.Effective effective) {
        if (effective.queueTimeoutSeconds() == null) {
            return Optional.empty();
        }
        final Instant due = status.nextAttemptTime() == null ? created(task) : status.nextAttemptTime();
        return Optional.of(due.plusSeconds(effective.queueTimeoutSeconds()));
    }

    /** When it was created, by NATS' clock: its age is measured by the API server's clock. */
    private Instant created(AgentTask task) {
        final Instant stamped = Instant.parse(task.getMetadata().getCreationTimestamp());
        return clock.instant().minus(Duration.between(stamped, apiServer.instant()));
    }

    boolean isQueueOverdue(AgentTask task, Optional<WorkerPool> pool) {
        return passed(startDeadline(task, task.statusOrUnobserved(), EffectiveSettings.of(task, pool)));
    }

    private static Instant later(Instant deadline, Instant given, AgentTaskStatus.Effective effective) {
        final Instant other = given.plusSeconds(effective.queueTimeoutSeconds());
        return deadline.isAfter(other) ? deadline : other;
    }

    /** After so long without an answer a holder that was asked to stop is taken for dead. */
    boolean isOverdue(TaskSnapshot snapshot) {
        return passed(Optional.ofNullable(snapshot.task().statusOrUnobserved().stopRequestedTime())
                .map(asked -> asked.plus(silence(snapshot.pool()))));
    }

    private static Duration silence(Optional<WorkerPool> pool) {
        final int heartbeat = pool.map(found -> found.getSpec().queue().heartbeatTimeoutSeconds())
                .orElse(HEARTBEAT_SECONDS);
        return Duration.ofSeconds(heartbeat).plus(GRACE);
    }

    boolean isExpired(AgentTask task, Optional<WorkerPool> pool) {
        return passed(expiry(task, task.statusOrUnobserved(), pool));
    }

    private static Optional<Instant> expiry(AgentTask task, AgentTaskStatus status, Optional<WorkerPool> pool) {
        return Optional.ofNullable(status.completionTime())
                .flatMap(end -> EffectiveSettings.timeToLive(task, status, pool).map(end::plusSeconds));
    }

    /** How long the task may be left alone when its status is this one; empty: until something happens. */
    Optional<Duration> requeueAfter(TaskSnapshot snapshot, AgentTaskStatus status) {
        final Optional<Duration> byTheClock = requeueAfter(snapshot.task(), status, snapshot.pool());
        final boolean answersAtALoss = snapshot.loss().isPresent() && status.phase() == Phase.Running;
        return answersAtALoss
                ? Optional.of(byTheClock
                        .filter(next -> next.compareTo(HOLDER_AGAIN) < 0)
                        .orElse(HOLDER_AGAIN))
                : byTheClock;
    }

    /** Likewise, of a task whose status stays as it is. */
    Optional<Duration> requeueAfter(AgentTask task, Optional<WorkerPool> pool) {
        return requeueAfter(task, task.statusOrUnobserved(), pool);
    }

    private Optional<Duration> requeueAfter(AgentTask task, AgentTaskStatus status, Optional<WorkerPool> pool) {
        final AgentTaskStatus.Effective effective =
                status.effective() == null ? EffectiveSettings.of(task, pool) : status.effective();
        final Phase phase = status.phase() == null ? Phase.Pending : status.phase();
        // Not asked for a task without a deadline: NATS may be away.
        return underWay(task, status, phase, effective, pool)
                .map(at -> atLeast(JUDGED_AGAIN, Duration.between(clock.instant(), at)))
                .or(() -> between(task, status, phase, pool)
                        .map(at -> atLeast(AT_ONCE, Duration.between(clock.instant(), at))));
    }

    /** When a task that waits or runs is to be reconciled. */
    private Optional<Instant> underWay(
            AgentTask task,
            AgentTaskStatus status,
            Phase phase,
            AgentTaskStatus.Effective effective,
            Optional<WorkerPool> pool) {
        return switch (phase) {
            case Pending ->
                earliest(
                        // A task that waits for room is triggered when there is some.
                        Backlog.waits(status)
                                ? Optional.empty()
                                : Optional.of(clock.instant().plus(WAITING)),
                        startDeadline(task, status, effective));
            case Queued -> startDeadline(task, status, effective);
            case Running ->
                status.stopRequestedTime() == null
                        ? runDeadline(status.startTime(), effective, pool)
                        : Optional.of(clock.instant());
            case Retrying, Suspended, Succeeded, Failed, Cancelled, Unknown -> Optional.empty();
        };
    }

    /** When a task without an attempt under way is to be reconciled. */
    private Optional<Instant> between(AgentTask task, AgentTaskStatus status, Phase phase, Optional<WorkerPool> pool) {
        return switch (phase) {
            case Retrying -> Optional.ofNullable(status.nextAttemptTime());
            case Suspended ->
                task.getSpec().suspend() && !task.getSpec().cancel() ? Optional.empty() : Optional.of(clock.instant());
            case Succeeded, Failed, Cancelled ->
                task.isRerunRequested(status) ? Optional.of(clock.instant()) : expiry(task, status, pool);
            case Pending, Queued, Running, Unknown -> Optional.empty();
        };
    }

    private static Optional<Instant> earliest(Optional<Instant> first, Optional<Instant> second) {
        return Stream.of(first, second).flatMap(Optional::stream).min(Instant::compareTo);
    }

    private static Duration atLeast(Duration least, Duration left) {
        return left.compareTo(least) < 0 ? least : left.plusMillis(1);
    }

    private boolean passed(Optional<Instant> deadline) {
        return deadline.filter(at -> !clock.instant().isBefore(at)).isPresent();
    }
}
