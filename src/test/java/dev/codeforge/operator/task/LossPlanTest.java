package dev.codeforge.operator.task;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.operator.task.loss.WorkerLoss;
import dev.codeforge.operator.task.status.StatusTransition;
import dev.codeforge.operator.task.status.StopReason;
import dev.codeforge.testing.Events;
import dev.codeforge.wire.TaskEvent.Kind;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is done with a run whose worker is lost. */
final class LossPlanTest {
    private static final WorkerLoss EVICTED = new WorkerLoss(WorkerLoss.Kind.DISRUPTED, "it was evicted");

    @ParameterizedTest
    @ValueSource(strings = {"AtLeastOnce", "ResetThenRetry"})
    void aRunWhosePodWasTakenAwayIsGivenBackInItsPlace(String delivery) {
        final Seen seen = Seen.task("delivery: " + delivery).running(1).lostItsWorker(EVICTED);
        seen.event(Events.of(seen.task, Kind.PROGRESS));
        assertThat(seen.plan()).isEqualTo(new TaskPlan.AskHolder());
        assertThat(seen.heldByNobody().plan()).isEqualTo(new TaskPlan.GiveBack(1, EVICTED));
    }

    @Test
    void alsoOneWhoseMessageIsGone() {
        final Seen seen = Seen.task("title: t").running(1).lost().lostItsWorker(EVICTED);
        seen.event(Events.of(seen.task, Kind.RUNNING));
        assertThat(seen.heldByNobody().plan()).isEqualTo(new TaskPlan.GiveBack(1, EVICTED));
    }

    @Test
    void aWorkerThatAnswersAllTheSameKeepsItsRun() {
        final Seen seen = Seen.task("title: t").running(1).lostItsWorker(EVICTED);
        seen.event(Events.of(seen.task, Kind.RUNNING));
        assertThat(((TaskPlan.UpdateStatus) seen.heldBy("worker-0").plan()).view())
                .isInstanceOf(StatusTransition.Running.class);
    }

    /** A pod that is deleted by force is gone before its worker is killed, and no event follows. */
    @Test
    void aWorkerThatAnswersAllTheSameIsAskedAgainSoon() {
        final Seen seen = Seen.task("title: t").running(1).lostItsWorker(EVICTED);
        seen.event(Events.of(seen.task, Kind.RUNNING));
        final AgentTaskStatus running = seen.heldBy("worker-0").said();
        assertThat(new TaskDeadlines(seen.clocks()).requeueAfter(seen.snapshot(), running))
                .hasValue(Duration.ofSeconds(2));
    }

    @Test
    void anAtMostOnceRunIsNotBegunAgain() {
        final Seen seen = Seen.task("delivery: AtMostOnce").running(1).lostItsWorker(EVICTED);
        seen.event(Events.of(seen.task, Kind.RUNNING));
        assertThat(seen.heldByNobody().plan()).isEqualTo(seen.end(1, StopReason.mayHaveRun()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"AtLeastOnce", "AtMostOnce", "ResetThenRetry"})
    void aRunThatNeededTooMuchMemoryHasFailed(String delivery) {
        final WorkerLoss killed = new WorkerLoss(WorkerLoss.Kind.OUT_OF_MEMORY, "too much");
        final Seen seen = Seen.task("delivery: " + delivery).running(1).lostItsWorker(killed);
        seen.event(Events.of(seen.task, Kind.RUNNING));
        assertThat(seen.plan()).isEqualTo(new TaskPlan.AskHolder());
        assertThat(seen.heldByNobody().plan()).isEqualTo(seen.end(1, StopReason.lost(killed)));
    }

    @ParameterizedTest
    @EnumSource(
            value = Kind.class,
            names = {"RELEASED", "COMPLETED", "FAILED"})
    void aRunThatItsWorkerHasEndedOrGivenBackIsNotLost(Kind kind) {
        final Seen seen = Seen.task("title: t").running(1).lostItsWorker(EVICTED);
        seen.event(Events.of(seen.task, kind));
        assertThat(seen.plan()).isInstanceOf(TaskPlan.UpdateStatus.class);
    }

    @Test
    void aTaskThatIsCancelledIsNotGivenBack() {
        final Seen seen = Seen.task("cancel: true").running(1).lostItsWorker(EVICTED);
        seen.event(Events.of(seen.task, Kind.RUNNING));
        assertThat(seen.heldByNobody().plan()).isInstanceOf(TaskPlan.AskToStop.class);
    }
}
