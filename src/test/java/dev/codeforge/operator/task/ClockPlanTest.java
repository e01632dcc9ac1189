package dev.codeforge.operator.task;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import dev.codeforge.operator.task.status.StatusTransition;
import dev.codeforge.operator.task.status.StopReason;
import dev.codeforge.testing.Events;
import dev.codeforge.wire.TaskEvent.Kind;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Queue timeout and run timeout. */
final class ClockPlanTest {
    private static final String AN_HOUR = "queueTimeoutSeconds: 3600";
    private static final String FOUR_HOURS = "queueTimeoutSeconds: 14400";

    @Test
    void aQueuedTaskThatNobodyTakesInTimeIsEnded() {
        final Seen seen = Seen.task(AN_HOUR).queued(1);
        assertThat(seen.plan()).isEqualTo(seen.end(1, StopReason.queueTimeout(3600)));
    }

    @Test
    void aQueuedTaskHasItsTime() {
        final Seen seen = Seen.task(FOUR_HOURS).queued(1);
        assertThat(((TaskPlan.UpdateStatus) seen.plan()).view()).isInstanceOf(StatusTransition.Queued.class);
        assertThat(new TaskDeadlines(seen.clocks()).requeueAfter(seen.snapshot(), seen.task.getStatus()))
                .hasValue(Duration.ofHours(1).plusMillis(1));
    }

    @Test
    void theQueuesClockRunsWhileThePoolIsMissing() {
        final Seen seen = Seen.task(AN_HOUR);
        seen.pool().getMetadata().setDeletionTimestamp("2026-11-24T10:00:00Z");
        final AgentTaskStatus status = seen.said();
        assertThat(status.phase()).isEqualTo(Phase.Failed);
        assertThat(status.error().type()).isEqualTo("QueueTimeout");
        assertThat(status.attempts()).isZero();
    }

    @Test
    void aRunningTaskIsNotLateForItsQueue() {
        final Seen seen = Seen.task(AN_HOUR).running(1);
        seen.event(Events.of(seen.task, Kind.RUNNING, 1, 1, Seen.NOW.minusSeconds(60)));
        assertThat(((TaskPlan.UpdateStatus) seen.plan()).view()).isInstanceOf(StatusTransition.Running.class);
    }

    @Test
    void aRunningTaskWhoseEventsAreLostIsNotLateForItsQueue() {
        final Seen seen = Seen.task(AN_HOUR).running(1);
        assertThat(seen.plan()).isEqualTo(new TaskPlan.UpdateStatus(new StatusTransition.Unchanged()));
    }

    @Test
    void aTaskThatWasGivenBackWaitsFromThenOn() {
        final Seen seen = Seen.task(AN_HOUR).queued(1);
        seen.event(Events.of(seen.task, Kind.RELEASED, 1, 1, Seen.NOW.minusSeconds(60)));
        final AgentTaskStatus status = seen.said();
        assertThat(status.phase()).isEqualTo(Phase.Queued);
        assertThat(status.nextAttemptTime()).isEqualTo(Seen.NOW.minusSeconds(60));
    }

    @Test
    void eachAttemptHasAQueueClockOfItsOwn() {
        final Seen seen = Seen.task(AN_HOUR + ", retry: {maxAttempts: 3}")
                .between("Retrying", 1, "nextAttemptTime: '2026-11-24T11:30:00Z'");
        assertThat(seen.plan()).isEqualTo(seen.publish(2));
    }

    @Test
    void aRunThatItsWorkerDoesNotStopIsStoppedByTheOperator() {
        // Runs may take 60 s, the pool's heartbeat is 5 s, and the grace 30 s.
        final Seen seen = Seen.task("runTimeoutSeconds: 60").running(1);
        seen.event(Events.of(seen.task, Kind.RUNNING, 1, 1, Seen.NOW));
        assertThat(((TaskPlan.UpdateStatus) seen.after(Duration.ofSeconds(94)).plan()).view())
                .isInstanceOf(StatusTransition.Running.class);
        assertThat(seen.after(Duration.ofSeconds(95)).plan())
                .isEqualTo(new TaskPlan.AskToStop(seen.end(1, StopReason.runTimeout(60)), false));
    }

    @Test
    void aRunThatIsLookedAtBecauseOfItsTimeIsNotLookedAtAllTheTime() {
        final Seen seen = Seen.task("runTimeoutSeconds: 60").running(1).after(Duration.ofHours(1));
        assertThat(new TaskDeadlines(seen.clocks()).requeueAfter(seen.snapshot(), seen.task.getStatus()))
                .hasValue(Duration.ofSeconds(5));
    }
}
