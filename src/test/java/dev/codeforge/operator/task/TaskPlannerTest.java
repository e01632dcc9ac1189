package dev.codeforge.operator.task;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.AgentTaskStatus.QueuePosition;
import dev.codeforge.api.Phase;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.api.WorkerPoolStatus;
import dev.codeforge.jetstream.TaskQueue.StandingMessage;
import dev.codeforge.jetstream.WorkerControl.Holder;
import dev.codeforge.operator.status.Conditions;
import dev.codeforge.operator.status.Reason;
import dev.codeforge.operator.task.admission.Candidate;
import dev.codeforge.operator.task.status.StatusTransition;
import dev.codeforge.operator.time.Clocks;
import dev.codeforge.testing.Events;
import dev.codeforge.testing.Resources;
import dev.codeforge.wire.TaskEvent;
import dev.codeforge.wire.TaskEvent.Kind;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class TaskPlannerTest {
    private static final String STREAM = "tasks_ns_pool";
    private static final String SUBJECT = "tasks.test.ns.pool";

    private final AgentTask task = Resources.task("ns", "task", "pool");
    private final WorkerPool pool = withQueue(Resources.pool("ns", "pool", null));
    private final Clock clock = Clock.fixed(Instant.parse("2026-11-24T12:00:00Z"), ZoneOffset.UTC);
    private final TaskPlanner planner = new TaskPlanner(new Clocks(clock, clock, clock));

    @Test
    void aNewTaskIsPublishedAsItsFirstAttempt() {
        assertThat(planner.plan(seen(null, null))).isEqualTo(new TaskPlan.Publish(pool, 1, false, false));
    }

    @Test
    void aTaskWhoseMessageStandsIsQueued() {
        assertThat(planner.plan(seen(standing(1), null)))
                .isEqualTo(new TaskPlan.UpdateStatus(new StatusTransition.Queued(1, STREAM, 7, Optional.empty())));
    }

    @Test
    void aTaskWhoseRunBeganIsRunning() {
        final TaskEvent event = Events.of(task, Kind.RUNNING);
        assertThat(planner.plan(seen(standing(1), event)))
                .isEqualTo(new TaskPlan.UpdateStatus(new StatusTransition.Running(event)));
    }

    @Test
    void aTaskThatWasGivenBackIsQueuedAgain() {
        final TaskEvent event = Events.of(task, Kind.RELEASED);
        assertThat(planner.plan(seen(standing(1), event)))
                .isEqualTo(new TaskPlan.UpdateStatus(new StatusTransition.Queued(1, STREAM, 7, Optional.of(event))));
    }

    @Test
    void aRunningTaskWhoseLastEventIsNotBelievedStaysRunning() {
        task.setStatus(status(Phase.Running, 1, new QueuePosition(STREAM, 7L)));
        assertThat(planner.plan(seen(standing(1), null)))
                .isEqualTo(new TaskPlan.UpdateStatus(new StatusTransition.Unchanged()));
    }

    @Test
    void aRunningTaskThatStandsNowhereIsAskedForAndLeftAloneWhenHeld() {
        task.setStatus(status(Phase.Running, 1, new QueuePosition(STREAM, 7L)));
        final TaskSnapshot lost = seen(null, null);
        assertThat(planner.plan(lost)).isEqualTo(new TaskPlan.AskHolder());
        assertThat(planner.plan(lost.withHolder(Optional.of(new Holder("worker-0", 1, 1)))))
                .isEqualTo(new TaskPlan.UpdateStatus(new StatusTransition.Unchanged()));
        assertThat(planner.plan(lost.withHolder(Optional.empty())))
                .isEqualTo(new TaskPlan.Publish(pool, 1, false, true));
    }

    @Test
    void aMessageOfANewerAttemptMeansThatTheCacheIsOld() {
        assertThat(planner.plan(seen(standing(2), null))).isEqualTo(new TaskPlan.Requeue());
    }

    @Test
    void aMessageOfAnOlderAttemptIsPurgedBeforeThisOneIsPublished() {
        attempted(2);
        assertThat(planner.plan(seen(standing(1), null))).isEqualTo(new TaskPlan.Publish(pool, 2, true, false));
    }

    @Test
    void theOutcomeOfAnOlderAttemptIsNotThisOnes() {
        attempted(2);
        assertThat(planner.plan(seen(standing(2), Events.of(task, Kind.FAILED, 1, 1))))
                .isEqualTo(new TaskPlan.UpdateStatus(new StatusTransition.Queued(2, STREAM, 7, Optional.empty())));
    }

    @ParameterizedTest
    @EnumSource(
            value = Kind.class,
            names = {"COMPLETED", "FAILED", "CANCELLED"})
    void anOutcomeIsAdoptedWhetherOrNotTheMessageStillStands(Kind kind) {
        final TaskEvent event = Events.of(task, kind);
        final TaskPlan ended = new TaskPlan.UpdateStatus(new StatusTransition.Ended(event));
        assertThat(planner.plan(seen(standing(1), event))).isEqualTo(ended);
        assertThat(planner.plan(seen(null, event))).isEqualTo(ended);
    }

    @Test
    void theOutcomeOfAnAttemptThatTheStatusDoesNotKnowYetIsAdopted() {
        final TaskEvent event = Events.of(task, Kind.COMPLETED, 3, 1);
        assertThat(planner.plan(seen(null, event)))
                .isEqualTo(new TaskPlan.UpdateStatus(new StatusTransition.Ended(event)));
    }

    @Test
    void anOutcomeIsAdoptedWithoutThePool() {
        final TaskEvent event = Events.of(task, Kind.COMPLETED);
        assertThat(planner.plan(snapshot(false, null, null, event)))
                .isEqualTo(new TaskPlan.UpdateStatus(new StatusTransition.Ended(event)));
    }

    @ParameterizedTest
    @EnumSource(
            value = Kind.class,
            names = {"RUNNING", "PROGRESS"})
    void aRunWithoutAMessageIsAskedFor(Kind kind) {
        assertThat(planner.plan(seen(null, Events.of(task, kind)))).isEqualTo(new TaskPlan.AskHolder());
    }

    @Test
    void aRunThatAnswersGoesOn() {
        final TaskEvent event = Events.of(task, Kind.RUNNING);
        final TaskSnapshot answered = seen(null, event).withHolder(Optional.of(new Holder("worker-0", 1, 1)));
        assertThat(planner.plan(answered)).isEqualTo(new TaskPlan.UpdateStatus(new StatusTransition.Running(event)));
    }

    @Test
    void aRunThatDoesNotAnswerIsPublishedAgainUnderAFreshId() {
        final TaskSnapshot unanswered =
                seen(null, Events.of(task, Kind.RUNNING)).withHolder(Optional.empty());
        assertThat(planner.plan(unanswered)).isEqualTo(new TaskPlan.Publish(pool, 1, false, true));
    }

    @Test
    void aTaskThatWasGivenBackAndWhoseMessageIsLostIsPublishedAgainUnderAFreshId() {
        assertThat(planner.plan(seen(null, Events.of(task, Kind.RELEASED))))
                .isEqualTo(new TaskPlan.Publish(pool, 1, false, true));
    }

    @Test
    void aQueuedTaskWhoseMessageIsLostIsPublishedAgainUnderAFreshId() {
        task.setStatus(status(Phase.Queued, 1, new QueuePosition(STREAM, 7L)));
        assertThat(planner.plan(seen(null, null))).isEqualTo(new TaskPlan.Publish(pool, 1, false, true));
    }

    @Test
    void aFinishedTaskIsLeftAlone() {
        task.setStatus(status(Phase.Succeeded, 1, null));
        assertThat(planner.plan(seen(standing(1), Events.of(task, Kind.RUNNING))))
                .isEqualTo(new TaskPlan.UpdateStatus(new StatusTransition.Unchanged()));
    }

    @Test
    void aTaskOfAMissingPoolWaitsAndNamesIt() {
        final StatusTransition.Waiting waiting = waiting(planner.plan(snapshot(false, null, null, null)));
        assertThat(waiting.reason()).isEqualTo(Reason.PoolNotFound);
        assertThat(waiting.message()).contains("WorkerPool pool does not exist in namespace ns", "Create the pool");
    }

    @Test
    void aTaskOfATerminatingPoolWaits() {
        pool.getMetadata().setDeletionTimestamp("2026-11-24T10:00:00Z");
        assertThat(waiting(planner.plan(seen(null, null))).reason()).isEqualTo(Reason.PoolTerminating);
    }

    @Test
    void aTaskOfAPoolThatNobodyHasLookedAtWaits() {
        pool.setStatus(null);
        final StatusTransition.Waiting waiting = waiting(planner.plan(seen(null, null)));
        assertThat(waiting.reason()).isEqualTo(Reason.PoolNotReady);
        assertThat(waiting.message()).endsWith("the operator has not made it yet.");
    }

    @Test
    void aTaskOfAPoolWithoutAQueueWaitsAndSaysWhatThePoolSays() {
        pool.setStatus(new WorkerPoolStatus(
                1L,
                new Conditions(List.of(), 1, Instant.EPOCH)
                        .set("QueueReady", false, Reason.SubjectTaken, "stream other has it")
                        .list(),
                0,
                0,
                "",
                pool.getStatus().queue(),
                0,
                null));
        final StatusTransition.Waiting waiting = waiting(planner.plan(seen(null, null)));
        assertThat(waiting.reason()).isEqualTo(Reason.PoolNotReady);
        assertThat(waiting.message()).contains("SubjectTaken: stream other has it");
    }

    @Test
    void aDeletedTaskThatIsQueuedIsWithdrawn() {
        assertThat(planner.plan(snapshot(true, pool, standing(1), null)))
                .isEqualTo(new TaskPlan.EndDeleted(STREAM, SUBJECT + "." + task.uid(), 1, false));
    }

    @Test
    void aDeletedTaskThatWasGivenBackIsWithdrawnWithoutAskingAnybody() {
        assertThat(planner.plan(snapshot(true, pool, standing(1), Events.of(task, Kind.RELEASED))))
                .isEqualTo(new TaskPlan.EndDeleted(STREAM, SUBJECT + "." + task.uid(), 1, false));
    }

    @Test
    void theHolderOfADeletedTaskIsAskedToStop() {
        assertThat(planner.plan(snapshot(true, pool, standing(1), Events.of(task, Kind.PROGRESS))))
                .isEqualTo(new TaskPlan.EndDeleted(STREAM, SUBJECT + "." + task.uid(), 1, true));
    }

    @Test
    void aDeletedTaskIsWithdrawnInItsNewestAttempt() {
        assertThat(planner.plan(snapshot(true, pool, standing(3), Events.of(task, Kind.RUNNING, 2, 1))))
                .isEqualTo(new TaskPlan.EndDeleted(STREAM, SUBJECT + "." + task.uid(), 3, true));
    }

    @Test
    void aDeletedTaskOfADeletedPoolHasNoSubjectToPurge() {
        assertThat(planner.plan(snapshot(true, null, null, Events.of(task, Kind.RUNNING))))
                .isEqualTo(new TaskPlan.EndDeleted(STREAM, "", 1, true));
    }

    /** A pool of that name may come again and hand it out. */
    @Test
    void aDeletedTaskThatWasPublishedInADeletedPoolIsEndedAllTheSame() {
        task.setStatus(status(Phase.Queued, 1, new QueuePosition(STREAM, 7L)));
        assertThat(planner.plan(snapshot(true, null, null, null)))
                .isEqualTo(new TaskPlan.EndDeleted(STREAM, "", 1, false));
    }

    @Test
    void aDeletedTaskThatEndedOrNeverBeganNeedsNothing() {
        final TaskPlan nothing = new TaskPlan.UpdateStatus(new StatusTransition.Unchanged());
        assertThat(planner.plan(snapshot(true, pool, null, null))).isEqualTo(nothing);
        assertThat(planner.plan(snapshot(true, pool, standing(1), Events.of(task, Kind.COMPLETED))))
                .isEqualTo(nothing);
        task.setStatus(status(Phase.Failed, 1, null));
        assertThat(planner.plan(snapshot(true, pool, standing(1), null))).isEqualTo(nothing);
    }

    private static StatusTransition.Waiting waiting(TaskPlan plan) {
        return (StatusTransition.Waiting) ((TaskPlan.UpdateStatus) plan).view();
    }

    private void attempted(int attempt) {
        task.setStatus(status(Phase.Queued, attempt, null));
    }

    private static AgentTaskStatus status(Phase phase, int attempts, QueuePosition queue) {
        final String place =
                queue == null ? "" : ", queue: {stream: " + queue.stream() + ", sequence: " + queue.sequence() + "}";
        return Resources.of(
                AgentTaskStatus.class,
                "{observedGeneration: 1, phase: " + phase + ", attempts: " + attempts + place + "}");
    }

    private static StandingMessage standing(int attempt) {
        return new StandingMessage(7, "installation", "namespace", "task", attempt);
    }

    private TaskSnapshot seen(StandingMessage standing, TaskEvent event) {
        return snapshot(false, pool, standing, event);
    }

    private TaskSnapshot snapshot(boolean deleted, WorkerPool pool, StandingMessage standing, TaskEvent event) {
        return new TaskSnapshot(
                Candidate.of(task, Optional.ofNullable(pool), List.of(), false),
                deleted,
                Optional.ofNullable(standing),
                event == null ? 0 : 9,
                Optional.ofNullable(event),
                Optional.empty(),
                Optional.empty());
    }

    private static WorkerPool withQueue(WorkerPool pool) {
        pool.setStatus(new WorkerPoolStatus(
                1L,
                new Conditions(List.of(), 1, Instant.EPOCH)
                        .set("QueueReady", true, Reason.QueueReady, "")
                        .list(),
                0,
                0,
                "",
                new WorkerPoolStatus.Queue(STREAM, SUBJECT, 0L, 0L),
                0,
                null));
        return pool;
    }
}
