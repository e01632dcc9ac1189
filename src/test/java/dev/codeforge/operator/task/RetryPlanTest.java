package dev.codeforge.operator.task;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import dev.codeforge.operator.task.status.StatusTransition;
import dev.codeforge.testing.Events;
import dev.codeforge.wire.TaskEvent;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a failed attempt leads to. */
final class RetryPlanTest {
    private static final String THREE = "retry: {maxAttempts: 3, backoffSeconds: 60, maxBackoffSeconds: 90}";

    private static TaskEvent failed(Seen seen, int attempt) {
        return Events.failed(seen.task, attempt, "CommandFailed", "exit code 1", true);
    }

    @Test
    void aFailedAttemptIsFollowedByAnother() {
        final Seen seen = Seen.task(THREE).running(1);
        final AgentTaskStatus status = seen.event(failed(seen, 1)).said();
        assertThat(status.phase()).isEqualTo(Phase.Retrying);
        assertThat(status.nextAttemptTime()).isEqualTo(Events.ENDED.plusSeconds(60));
        assertThat(status.failedAttempts()).isEqualTo(1);
        assertThat(status.attempts()).isEqualTo(1);
        assertThat(status.history()).hasSize(1);
        assertThat(status.error().type()).isEqualTo("CommandFailed");
    }

    @Test
    void withoutRetryAFailedAttemptIsTheEnd() {
        final Seen seen = Seen.task("title: t").running(1);
        assertThat(seen.event(failed(seen, 1)).said().phase()).isEqualTo(Phase.Failed);
    }

    @Test
    void thePoolsRetryAppliesToTasksThatSayNothing() {
        final Seen seen = Seen.task("title: t")
                .status("{observedGeneration: 1, phase: Running, attempts: 1, effective: {retry: {maxAttempts: 2}}}");
        assertThat(seen.event(failed(seen, 1)).said().phase()).isEqualTo(Phase.Retrying);
    }

    @ParameterizedTest
    @CsvSource({"1, 60", "2, 90"})
    void theBackoffDoublesUpToItsMaximum(int failures, int seconds) {
        final Seen seen = Seen.task("retry: {maxAttempts: 9, backoffSeconds: 60, maxBackoffSeconds: 90}")
                .status("{observedGeneration: 1, phase: Running, attempts: " + failures + ", failedAttempts: "
                        + (failures - 1) + "}");
        assertThat(seen.event(failed(seen, failures)).said().nextAttemptTime())
                .isEqualTo(Events.ENDED.plusSeconds(seconds));
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "7, 7", "3600, 3600", "1000000000000, 3600", "-5, 0"})
    void aDelayThatTheFailureAsksForReplacesTheBackoff(long asked, int seconds) {
        final AgentTaskStatus status =
                Seen.task(THREE).running(1).event(limited(1, asked)).said();
        assertThat(status.phase()).isEqualTo(Phase.Retrying);
        assertThat(status.nextAttemptTime()).isEqualTo(Events.ENDED.plusSeconds(seconds));
    }

    @Test
    void aDelayGivesNoFurtherAttempt() {
        final Seen seen =
                Seen.task(THREE).status("{observedGeneration: 1, phase: Running, attempts: 3, failedAttempts: 2}");
        assertThat(seen.event(limited(3, 7)).said().phase()).isEqualTo(Phase.Failed);
    }

    @Test
    void aFailureThatIsNotRetryableIsRetriedWhereTheTaskSaysSo() {
        final TaskEvent killed = Events.failed(Seen.task(THREE).task, 1, "OutOfMemory", "too much", false);
        assertThat(Seen.task(THREE).running(1).event(killed).said().phase()).isEqualTo(Phase.Failed);
        assertThat(Seen.task("retry: {maxAttempts: 3, retryable: [OutOfMemory]}")
                        .running(1)
                        .event(killed)
                        .said()
                        .phase())
                .isEqualTo(Phase.Retrying);
        assertThat(Seen.task("retry: {maxAttempts: 3, retryable: [OutOfMemory], nonRetryable: [OutOfMemory]}")
                        .running(1)
                        .event(killed)
                        .said()
                        .phase())
                .isEqualTo(Phase.Failed);
    }

    private static TaskEvent limited(int attempt, long seconds) {
        final Seen seen = Seen.task(THREE);
        return Events.at(
                seen.task,
                TaskEvent.Kind.FAILED,
                attempt,
                1,
                new TaskEvent.Failure("RateLimited", "the model is busy", true, seconds),
                Events.STARTED);
    }

    @Test
    void theLastAttemptsFailureIsTheTasks() {
        final Seen seen =
                Seen.task(THREE).status("{observedGeneration: 1, phase: Running, attempts: 3, failedAttempts: 2}");
        final AgentTaskStatus status = seen.event(failed(seen, 3)).said();
        assertThat(status.phase()).isEqualTo(Phase.Failed);
        assertThat(status.failedAttempts()).isEqualTo(3);
    }

    @Test
    void anAttemptThatWasSuspendedDoesNotCount() {
        final Seen seen =
                Seen.task(THREE).status("{observedGeneration: 1, phase: Running, attempts: 3, failedAttempts: 1}");
        assertThat(seen.event(failed(seen, 3)).said().phase()).isEqualTo(Phase.Retrying);
    }

    @Test
    void whatTheWorkerCallsNotRetryableIsNot() {
        final Seen seen = Seen.task(THREE).running(1);
        assertThat(seen.event(Events.failed(seen.task, 1, "InvalidConfig", "no such key", false))
                        .said()
                        .phase())
                .isEqualTo(Phase.Failed);
    }

    @Test
    void whatTheTaskCallsNotRetryableIsNot() {
        final Seen seen = Seen.task("retry: {maxAttempts: 3, nonRetryable: [CommandFailed]}")
                .running(1);
        assertThat(seen.event(failed(seen, 1)).said().phase()).isEqualTo(Phase.Failed);
    }

    @Test
    void anAtMostOnceTaskIsNotRetriedWhateverItsPoolSays() {
        final Seen seen = Seen.task("delivery: AtMostOnce").running(1);
        assertThat(seen.event(failed(seen, 1)).said().phase()).isEqualTo(Phase.Failed);
    }

    @Test
    void theNextAttemptWaitsForItsTime() {
        final Seen seen = Seen.task(THREE).between("Retrying", 1, "nextAttemptTime: '2026-11-24T12:00:30Z'");
        seen.event(failed(seen, 1));
        assertThat(seen.plan()).isEqualTo(new TaskPlan.UpdateStatus(new StatusTransition.Unchanged()));
        assertThat(new TaskDeadlines(seen.clocks()).requeueAfter(seen.snapshot(), seen.task.getStatus()))
                .hasValue(Duration.ofSeconds(30).plusMillis(1));
        assertThat(seen.after(Duration.ofSeconds(30)).plan()).isEqualTo(seen.publish(2));
    }

    /** Killed after the PubAck of attempt 2, before the status told of it. */
    @Test
    void aNextAttemptThatStandsIsNotPublishedAgain() {
        final Seen seen = Seen.task(THREE).between("Retrying", 1, "nextAttemptTime: '2026-11-24T11:00:00Z'");
        seen.event(failed(seen, 1)).standing(2);
        assertThat(((TaskPlan.UpdateStatus) seen.plan()).view()).isInstanceOf(StatusTransition.Queued.class);
        assertThat(seen.said().attempts()).isEqualTo(2);
    }

    /** The worker was quicker than the status write. */
    @ParameterizedTest
    @ValueSource(strings = {"RUNNING", "COMPLETED", "FAILED"})
    void anEventOfTheNextAttemptIsBelievedBeforeTheStatusKnowsOfIt(TaskEvent.Kind kind) {
        final Seen seen =
                Seen.task(THREE).between("Retrying", 1, "failedAttempts: 1, nextAttemptTime: '2026-11-24T11:00:00Z'");
        final AgentTaskStatus status =
                seen.standing(2).event(Events.of(seen.task, kind, 2, 1)).said();
        assertThat(status.attempts()).isEqualTo(2);
        assertThat(status.phase())
                .isEqualTo(
                        switch (kind) {
                            case RUNNING -> Phase.Running;
                            case COMPLETED -> Phase.Succeeded;
                            default -> Phase.Failed;
                        });
    }

    /** A stale leader: the message of attempt 3 stands while its cache still shows attempt 1. */
    @Test
    void aStaleLeaderTouchesNothing() {
        final Seen seen = Seen.task(THREE).between("Retrying", 1, "nextAttemptTime: '2026-11-24T11:00:00Z'");
        assertThat(seen.standing(3).plan()).isEqualTo(new TaskPlan.Requeue());
    }

    @Test
    void aNewAttemptCountsItsDeliveriesAnew() {
        final Seen seen = Seen.task(THREE)
                .between(
                        "Retrying",
                        1,
                        "deliveries: 3, nextAttemptTime: '2026-11-24T11:00:00Z', queuedTime: '2026-11-24T09:00:00Z'");
        final AgentTaskStatus status = seen.standing(2).said();
        assertThat(status.deliveries()).isZero();
        assertThat(status.queuedTime()).isEqualTo(Instant.parse("2026-11-24T12:00:00Z"));
        assertThat(status.error()).isNull();
    }
}
