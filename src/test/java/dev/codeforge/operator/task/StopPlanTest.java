package dev.codeforge.operator.task;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import dev.codeforge.operator.status.Conditions;
import dev.codeforge.operator.task.status.StatusTransition;
import dev.codeforge.operator.task.status.StopReason;
import dev.codeforge.operator.task.status.TaskStatusBuilder;
import dev.codeforge.testing.Events;
import dev.codeforge.wire.TaskEvent.Kind;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Cancel, suspend, resume and rerun in every phase. */
final class StopPlanTest {
    private static final TaskPlan NOTHING = new TaskPlan.UpdateStatus(new StatusTransition.Unchanged());

    @Test
    void aQueuedTaskIsCancelledAtOnce() {
        final Seen seen = Seen.task("cancel: true").queued(1);
        assertThat(seen.plan()).isEqualTo(seen.end(1, StopReason.cancelled()));
    }

    @Test
    void aTaskThatWasGivenBackIsCancelledAtOnce() {
        final Seen seen = Seen.task("cancel: true").queued(1);
        assertThat(seen.event(Events.of(seen.task, Kind.RELEASED)).plan())
                .isEqualTo(seen.end(1, StopReason.cancelled()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"cancel: true", "suspend: true"})
    void aRunningTasksWorkerIsAskedToStopIt(String fields) {
        final Seen seen = Seen.task(fields).running(1);
        seen.event(Events.of(seen.task, Kind.RUNNING));
        assertThat(((TaskPlan.AskToStop) seen.plan()).overdue()).isFalse();
    }

    @Test
    void aTaskWhoseWorkerIsSilentForLongerThanItsHeartbeatIsEndedWithoutIt() {
        final Seen seen = Seen.task("cancel: true")
                .status(
                        "{observedGeneration: 1, phase: Running, attempts: 1, stopRequestedTime: '2026-11-24T12:00:00Z'}")
                .standing(1);
        seen.event(Events.of(seen.task, Kind.RUNNING));
        // The pool's heartbeat is 5 s, and the grace 30 s.
        assertThat(((TaskPlan.AskToStop) seen.after(Duration.ofSeconds(34)).plan()).overdue())
                .isFalse();
        assertThat(((TaskPlan.AskToStop) seen.after(Duration.ofSeconds(35)).plan()).overdue())
                .isTrue();
    }

    @Test
    void whileTheWorkerStopsTheStatusSaysSoOnce() {
        final Seen seen = Seen.task("cancel: true").running(1);
        final TaskStatusBuilder statuses = new TaskStatusBuilder(seen.clocks());
        final AgentTaskStatus first = statuses.build(
                seen.task,
                seen.snapshot().pool(),
                new StatusTransition.Stopping(StopReason.cancelled(), Optional.empty(), false));
        assertThat(first.phase()).isEqualTo(Phase.Running);
        assertThat(first.stopRequestedTime()).isEqualTo(Seen.NOW);
        assertThat(Conditions.find(first.conditions(), "Ready").orElseThrow().getReason())
                .isEqualTo("Cancelling");
        seen.status(first).after(Duration.ofSeconds(5));
        assertThat(new TaskStatusBuilder(seen.clocks())
                        .build(
                                seen.task,
                                seen.snapshot().pool(),
                                new StatusTransition.Stopping(StopReason.cancelled(), Optional.empty(), false)))
                .isEqualTo(first);
    }

    @Test
    void aWorkerThatAcceptsMayBeSilentForAsLongAgain() {
        final Seen seen = Seen.task("cancel: true")
                .status(
                        "{observedGeneration: 1, phase: Running, attempts: 1, stopRequestedTime: '2026-11-24T12:00:00Z'}")
                .standing(1);
        seen.event(Events.of(seen.task, Kind.RUNNING)).after(Duration.ofSeconds(34));
        final AgentTaskStatus accepted = new TaskStatusBuilder(seen.clocks())
                .build(
                        seen.task,
                        seen.snapshot().pool(),
                        new StatusTransition.Stopping(StopReason.cancelled(), Optional.empty(), true));
        seen.status(accepted);
        assertThat(((TaskPlan.AskToStop) seen.after(Duration.ofSeconds(68)).plan()).overdue())
                .isFalse();
        assertThat(((TaskPlan.AskToStop) seen.after(Duration.ofSeconds(69)).plan()).overdue())
                .isTrue();
    }

    /** Published for a rerun, killed before the status told of it, taken by a worker, then held back. */
    @Test
    void aRunThatTheStatusDoesNotKnowYetIsToldOfWhenItIsAskedToStop() {
        final Seen seen =
                Seen.task("suspend: true, rerun: 1").between("Failed", 1, "completionTime: '2026-11-24T10:00:00Z'");
        final AgentTaskStatus status = new TaskStatusBuilder(seen.clocks())
                .build(
                        seen.task,
                        seen.snapshot().pool(),
                        new StatusTransition.Stopping(
                                StopReason.suspended(), Optional.of(Events.of(seen.task, Kind.RUNNING, 2, 1)), true));
        assertThat(status.phase()).isEqualTo(Phase.Running);
        assertThat(status.attempts()).isEqualTo(2);
        assertThat(status.rerun()).isEqualTo("1");
        assertThat(status.stopRequestedTime()).isEqualTo(Seen.NOW);
    }

    @Test
    void aTaskThatWasNeverPublishedIsCancelledWithoutAnEvent() {
        final AgentTaskStatus status = Seen.task("cancel: true").said();
        assertThat(status.phase()).isEqualTo(Phase.Cancelled);
        assertThat(status.attempts()).isZero();
        assertThat(status.completionTime()).isEqualTo(Seen.NOW);
        assertThat(Conditions.isTrue(status.conditions(), "Finished")).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"Retrying", "Suspended", "Pending"})
    void aTaskBetweenTwoAttemptsIsCancelledWithoutAnEvent(String phase) {
        final Seen seen = Seen.task("cancel: true, suspend: true").between(phase, 1, "");
        seen.event(Events.of(seen.task, Kind.FAILED));
        assertThat(seen.said().phase()).isEqualTo(Phase.Cancelled);
    }

    /** Killed after the publish, before the status told of it. */
    @Test
    void aTaskWhosePublishNobodyKnowsOfIsCancelledWithItsMessage() {
        final Seen seen = Seen.task("cancel: true").standing(1);
        assertThat(seen.plan()).isEqualTo(seen.end(1, StopReason.cancelled()));
    }

    @Test
    void aTaskThatCompletedFirstIsNotCancelled() {
        final Seen seen = Seen.task("cancel: true").running(1);
        assertThat(seen.event(Events.of(seen.task, Kind.COMPLETED)).said().phase())
                .isEqualTo(Phase.Succeeded);
    }

    @Test
    void aCancelledTaskIsNotRetried() {
        final Seen seen = Seen.task("cancel: true, retry: {maxAttempts: 3}").running(1);
        assertThat(seen.event(Events.failed(seen.task, 1, "CommandFailed", "exit code 1", true))
                        .said()
                        .phase())
                .isEqualTo(Phase.Failed);
    }

    @Test
    void aQueuedTaskIsSuspendedByEndingItsAttempt() {
        final Seen seen = Seen.task("suspend: true").queued(1);
        assertThat(seen.plan()).isEqualTo(seen.end(1, StopReason.suspended()));
        final AgentTaskStatus status =
                seen.event(Events.cancelled(seen.task, 1, "Suspended")).said();
        assertThat(status.phase()).isEqualTo(Phase.Suspended);
        assertThat(status.failedAttempts()).isZero();
        assertThat(Conditions.isTrue(status.conditions(), "Suspended")).isTrue();
        assertThat(Conditions.isTrue(status.conditions(), "Reconciling")).isFalse();
    }

    @Test
    void aTaskIsCreatedSuspendedWithoutAnAttempt() {
        final Seen seen = Seen.task("suspend: true");
        seen.status(seen.said());
        assertThat(seen.task.getStatus().phase()).isEqualTo(Phase.Suspended);
        assertThat(seen.task.getStatus().attempts()).isZero();
        assertThat(seen.plan()).isEqualTo(NOTHING);
    }

    @Test
    void aResumedTaskBeginsANewAttempt() {
        final Seen seen = Seen.task("suspend: false").between("Suspended", 1, "");
        seen.event(Events.cancelled(seen.task, 1, "Suspended"));
        assertThat(seen.plan()).isEqualTo(seen.publish(2));
        final AgentTaskStatus status = seen.standing(2).said();
        assertThat(status.phase()).isEqualTo(Phase.Queued);
        assertThat(status.nextAttemptTime()).isEqualTo(Seen.NOW);
        assertThat(Conditions.isTrue(status.conditions(), "Suspended")).isFalse();
    }

    /** The queue's clock does not run while a task is held back. */
    @Test
    void aTaskThatWasSuspendedForLongIsNotLateWhenItIsResumed() {
        final Seen seen = Seen.task("queueTimeoutSeconds: 60").between("Suspended", 1, "");
        assertThat(seen.plan()).isEqualTo(seen.publish(2));
    }

    @Test
    void aSuspensionThatIsTakenBackTooSoonStillResumes() {
        final Seen seen = Seen.task("suspend: false").running(1);
        seen.status(seen.event(Events.cancelled(seen.task, 1, "Suspended")).said());
        assertThat(seen.task.getStatus().phase()).isEqualTo(Phase.Suspended);
        assertThat(seen.lost().plan()).isEqualTo(seen.publish(2));
        assertThat(new TaskDeadlines(seen.clocks()).requeueAfter(seen.snapshot(), seen.task.getStatus()))
                .hasValue(Duration.ofMillis(1));
    }

    @Test
    void anAtMostOnceTaskThatWasRunningWhenSuspendedNeverRunsAgain() {
        final Seen seen = Seen.task("suspend: true, delivery: AtMostOnce").running(1);
        final AgentTaskStatus status =
                seen.event(Events.cancelled(seen.task, 1, "Suspended")).said();
        assertThat(status.phase()).isEqualTo(Phase.Failed);
        assertThat(status.error().type()).isEqualTo("MayHaveRun");
    }

    @Test
    void anEndedTaskIsRunAgainForANewValueOfRerun() {
        final Seen seen =
                Seen.task("rerun: 1").between("Failed", 1, "failedAttempts: 1, completionTime: '2026-11-24T10:00:00Z'");
        seen.event(Events.of(seen.task, Kind.FAILED));
        assertThat(seen.plan()).isEqualTo(seen.publish(2));
        final AgentTaskStatus status = seen.standing(2).said();
        assertThat(status.rerun()).isEqualTo("1");
        assertThat(status.failedAttempts()).isZero();
        assertThat(status.completionTime()).isNull();
        assertThat(Conditions.isTrue(status.conditions(), "Finished")).isFalse();
        assertThat(status.history()).hasSize(1);
    }

    @Test
    void anyOtherValueOfRerunIsANewOne() {
        final Seen seen = Seen.task("rerun: '1'").between("Failed", 1, "rerun: '2'");
        seen.event(Events.of(seen.task, Kind.FAILED));
        assertThat(seen.plan()).isEqualTo(seen.publish(2));
    }

    @Test
    void aRerunThatIsTakenAwayRunsNothingAndMayBeAskedForAgain() {
        final Seen seen = Seen.task("suspend: false").between("Failed", 1, "rerun: again");
        final AgentTaskStatus status = seen.said();
        assertThat(status.phase()).isEqualTo(Phase.Failed);
        assertThat(status.rerun()).isEmpty();
    }

    @Test
    void whatRerunIsWhenTheTaskIsFirstSeenCountsAsDone() {
        final Seen seen = Seen.task("rerun: 4").standing(1);
        final AgentTaskStatus status = seen.said();
        assertThat(status.rerun()).isEqualTo("4");
        assertThat(seen.status(status).plan()).isNotInstanceOf(TaskPlan.Publish.class);
    }

    @Test
    void aRerunWaitsForTheTasksEnd() {
        final Seen seen = Seen.task("rerun: 1").running(1);
        seen.event(Events.of(seen.task, Kind.RUNNING));
        final AgentTaskStatus status = seen.said();
        assertThat(status.phase()).isEqualTo(Phase.Running);
        assertThat(status.rerun()).isEmpty();
    }

    /** Nothing else would bring the task to the planner again. */
    @Test
    void aRerunThatWasAskedForDuringTheRunBeginsAsSoonAsTheEndIsTold() {
        final Seen seen = Seen.task("rerun: 1").running(1);
        final AgentTaskStatus ended =
                seen.event(Events.of(seen.task, Kind.COMPLETED)).said();
        assertThat(ended.phase()).isEqualTo(Phase.Succeeded);
        assertThat(new TaskDeadlines(seen.clocks()).requeueAfter(seen.snapshot(), ended))
                .hasValue(Duration.ofMillis(1));
    }

    @Test
    void aRerunWithoutAPoolStaysOneUntilThePoolIsThere() {
        final Seen seen = Seen.task("rerun: 1").between("Failed", 1, "completionTime: '2026-11-24T10:00:00Z'");
        seen.event(Events.of(seen.task, Kind.FAILED));
        seen.pool().getMetadata().setDeletionTimestamp("2026-11-24T10:00:00Z");
        seen.status(seen.said());
        assertThat(seen.task.getStatus().phase()).isEqualTo(Phase.Pending);
        assertThat(seen.task.getStatus().rerun()).isEqualTo("1");
        seen.pool().getMetadata().setDeletionTimestamp(null);
        assertThat(seen.plan()).isEqualTo(seen.publish(2));
    }

    @Test
    void aFinishedTaskWhoseTimeIsOverIsDeleted() {
        final Seen seen = Seen.task("ttlSecondsAfterFinished: 60, idempotencyKey: k")
                .between("Succeeded", 1, "completionTime: '2026-11-24T11:59:30Z'");
        assertThat(seen.plan()).isEqualTo(NOTHING);
        assertThat(new TaskDeadlines(seen.clocks()).requeueAfter(seen.snapshot(), seen.task.getStatus()))
                .hasValue(Duration.ofSeconds(30).plusMillis(1));
        assertThat(seen.after(Duration.ofSeconds(30)).plan()).isEqualTo(new TaskPlan.Delete());
    }

    @Test
    void aTaskThatIsToRunAgainIsNotDeleted() {
        final Seen seen = Seen.task("ttlSecondsAfterFinished: 0, idempotencyKey: k, rerun: 1")
                .between("Succeeded", 1, "completionTime: '2026-11-24T11:59:30Z'");
        assertThat(seen.plan()).isEqualTo(seen.publish(2));
    }

    @Test
    void aStatusFollowsTheGenerationEvenWhenNothingElseChanges() {
        final Seen seen = Seen.task("ttlSecondsAfterFinished: 3600, idempotencyKey: k")
                .between("Succeeded", 1, "completionTime: '2026-11-24T11:59:30Z'");
        seen.task.getMetadata().setGeneration(2L);
        assertThat(seen.said().observedGeneration()).isEqualTo(2);
    }
}
