package dev.codeforge.operator.task;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import dev.codeforge.operator.task.admission.Admission;
import dev.codeforge.operator.task.admission.SpecHash;
import dev.codeforge.operator.task.status.StatusTransition;
import dev.codeforge.operator.task.status.StopReason;
import dev.codeforge.testing.Events;
import dev.codeforge.wire.LedgerRecord;
import dev.codeforge.wire.TaskEvent;
import dev.codeforge.wire.TaskEvent.Kind;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

/** Nothing begins after a task's notAfter. */
final class NotAfterPlanTest {
    private static final Instant AN_HOUR_AGO = Seen.NOW.minus(Duration.ofHours(1));
    private static final String PASSED = "notAfter: '2026-11-24T11:00:00Z'";
    private static final String IN_AN_HOUR = "notAfter: '2026-11-24T14:00:00+01:00'";
    private static final String RETRIED = "retry: {maxAttempts: 3, backoffSeconds: 60}";

    @Test
    void aTaskThatIsRestoredTooLateFailsAndNothingIsPublished() {
        final AgentTaskStatus status = Seen.task(PASSED).said();
        assertThat(status.phase()).isEqualTo(Phase.Failed);
        assertThat(status.error().type()).isEqualTo("NotAfterPassed");
        assertThat(status.error().message()).contains("2026-11-24T11:00:00Z");
        assertThat(status.attempts()).isZero();
    }

    @Test
    void aTaskIsPublishedInTime() {
        final Seen seen = Seen.task(IN_AN_HOUR);
        assertThat(seen.plan()).isEqualTo(seen.publish(1));
    }

    @Test
    void aTaskIsLateFromThatMomentOn() {
        final Seen seen = Seen.task(IN_AN_HOUR);
        assertThat(seen.after(Duration.ofMinutes(59)).plan()).isEqualTo(seen.publish(1));
        assertThat(seen.after(Duration.ofHours(1)).said().error().type()).isEqualTo("NotAfterPassed");
    }

    @Test
    void aTaskThatWaitsForAWorkerUntilThenIsEndedWithItsMessage() {
        final Seen seen = Seen.task(PASSED).queued(1);
        assertThat(seen.plan()).isEqualTo(seen.end(1, StopReason.notAfter(AN_HOUR_AGO)));
    }

    @Test
    void aTaskThatWaitsIsLookedAtThen() {
        final Seen seen = Seen.task(IN_AN_HOUR + ", queueTimeoutSeconds: 86400").queued(1);
        assertThat(new TaskDeadlines(seen.clocks()).requeueAfter(seen.snapshot(), seen.task.getStatus()))
                .hasValue(Duration.ofHours(1).plusMillis(1));
    }

    @Test
    void theQueueTimeoutEndsATaskThatHasMoreTime() {
        final Seen seen = Seen.task(IN_AN_HOUR + ", queueTimeoutSeconds: 60").queued(1);
        assertThat(seen.plan()).isEqualTo(seen.end(1, StopReason.queueTimeout(60)));
    }

    @Test
    void aTaskThatWaitsForRoomInItsPoolsQueueIsNotLeftToWait() {
        final Seen seen = Seen.task(PASSED);
        assertThat(new TaskDeadlines(seen.clocks())
                        .isQueueOverdue(seen.task, seen.snapshot().pool()))
                .isTrue();
    }

    @Test
    void aRunIsNotTouched() {
        final Seen seen = Seen.task(PASSED).running(1);
        seen.event(Events.of(seen.task, Kind.RUNNING));
        assertThat(((TaskPlan.UpdateStatus) seen.plan()).view()).isInstanceOf(StatusTransition.Running.class);
    }

    @Test
    void aRunThatWasGivenBackGoesOn() {
        final Seen seen = Seen.task(PASSED).queued(1);
        seen.event(Events.of(seen.task, Kind.RELEASED));
        seen.status(seen.said());
        assertThat(seen.task.getStatus().phase()).isEqualTo(Phase.Queued);
        // Nothing is due: it is not looked at again and again.
        assertThat(new TaskDeadlines(seen.clocks()).requeueAfter(seen.snapshot(), seen.task.getStatus()))
                .isEmpty();
    }

    @Test
    void aFailureWhoseRetryWouldBeginTooLateIsTheOutcomeAndSaysSo() {
        // Failed at 11:59, due at 12:00.
        final Seen seen =
                Seen.task("notAfter: '2026-11-24T11:59:59Z', " + RETRIED).running(1);
        final AgentTaskStatus status = seen.event(Events.failed(seen.task, 1, "CommandFailed", "exit code 1", true))
                .said();
        assertThat(status.phase()).isEqualTo(Phase.Failed);
        assertThat(status.error().type()).isEqualTo("CommandFailed");
        assertThat(status.error().message()).startsWith("exit code 1; ").contains("2026-11-24T11:59:59Z");
    }

    @Test
    void aFailureWhoseRetryIsDueInTimeIsTriedAgain() {
        final Seen seen =
                Seen.task("notAfter: '2026-11-24T12:00:00Z', " + RETRIED).running(1);
        assertThat(seen.event(Events.failed(seen.task, 1, "CommandFailed", "exit code 1", true))
                        .said()
                        .phase())
                .isEqualTo(Phase.Retrying);
    }

    @Test
    void aRetryThatNobodyBeganInTimeBeginsNoMore() {
        final Seen seen =
                Seen.task(PASSED + ", " + RETRIED).between("Retrying", 1, "nextAttemptTime: '2026-11-24T10:59:00Z'");
        assertThat(seen.said().error().type()).isEqualTo("NotAfterPassed");
    }

    @Test
    void aTaskThatIsResumedTooLateDoesNotBegin() {
        assertThat(Seen.task(PASSED).between("Suspended", 1, "").said().error().type())
                .isEqualTo("NotAfterPassed");
    }

    @Test
    void aRerunTooLateDoesNotBeginAndIsNotTriedAgain() {
        final Seen seen =
                Seen.task(PASSED + ", rerun: 1").between("Succeeded", 1, "completionTime: '2026-11-24T10:00:00Z'");
        final AgentTaskStatus status = seen.said();
        assertThat(status.error().type()).isEqualTo("NotAfterPassed");
        assertThat(status.rerun()).isEqualTo("1");
    }

    @Test
    void anEndUnderTheKeyIsTakenOverAlsoLater() {
        final Seen seen = Seen.task("idempotencyKey: k, " + PASSED);
        assertThat(seen.plan()).isEqualTo(new TaskPlan.AskAdmission(new Admission.ReadLedger()));
        assertThat(seen.ledger(record(seen, Events.of(seen.task, Kind.COMPLETED)), 3)
                        .said()
                        .phase())
                .isEqualTo(Phase.Succeeded);
    }

    @Test
    void aKeyThatStandsForNoEndIsNotClaimedAnyMore() {
        final Seen seen = Seen.task("idempotencyKey: k, " + PASSED);
        assertThat(seen.ledger(null, 0).said().error().type()).isEqualTo("NotAfterPassed");
        assertThat(seen.ledger(record(seen, null), 3).said().error().type()).isEqualTo("NotAfterPassed");
    }

    private static LedgerRecord record(Seen seen, TaskEvent outcome) {
        return new LedgerRecord("other", "ns", "pool", "other", SpecHash.of(seen.task.getSpec()), outcome);
    }
}
