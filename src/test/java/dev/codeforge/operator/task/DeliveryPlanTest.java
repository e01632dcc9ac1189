package dev.codeforge.operator.task;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.operator.task.status.StatusTransition;
import dev.codeforge.operator.task.status.StopReason;
import dev.codeforge.testing.Events;
import dev.codeforge.wire.TaskEvent;
import dev.codeforge.wire.TaskEvent.Kind;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a declared delivery means when a message is lost. */
final class DeliveryPlanTest {
    @Test
    void anAtMostOnceTaskIsPublishedOnce() {
        final Seen seen = Seen.task("delivery: AtMostOnce");
        assertThat(seen.plan()).isEqualTo(seen.publish(1));
    }

    @Test
    void anAtMostOnceTaskWhoseMessageIsLostFailsVisibly() {
        final Seen seen = Seen.task("delivery: AtMostOnce").queued(1).lost();
        assertThat(seen.plan()).isEqualTo(seen.end(1, StopReason.mayHaveRun()));
    }

    @Test
    void anAtMostOnceTaskThatNobodyRunsAnyMoreFailsVisibly() {
        final Seen seen = Seen.task("delivery: AtMostOnce").running(1).lost();
        seen.event(Events.of(seen.task, Kind.RUNNING));
        assertThat(seen.plan()).isEqualTo(new TaskPlan.AskHolder());
        assertThat(seen.heldByNobody().plan()).isEqualTo(seen.end(1, StopReason.mayHaveRun()));
    }

    @Test
    void anAtMostOnceTaskThatSomebodyRunsGoesOn() {
        final Seen seen = Seen.task("delivery: AtMostOnce").running(1).lost();
        seen.event(Events.of(seen.task, Kind.RUNNING));
        assertThat(((TaskPlan.UpdateStatus) seen.heldBy("worker-0").plan()).view())
                .isInstanceOf(StatusTransition.Running.class);
    }

    @Test
    void anAtMostOnceTaskThatWasSuspendedWhileItWaitedMayStillRun() {
        final Seen seen = Seen.task("delivery: AtMostOnce").between("Suspended", 1, "");
        seen.event(Events.cancelled(seen.task, 1, "Suspended"));
        assertThat(seen.plan()).isEqualTo(seen.publish(2));
    }

    /** The results were lost, and with them the only trace of a run that the status has seen. */
    @Test
    void anAtMostOnceTaskWhoseRunLeftNoTraceIsNotBegunAgainByItsMessage() {
        final Seen seen = Seen.task("delivery: AtMostOnce").running(1);
        assertThat(seen.plan()).isEqualTo(new TaskPlan.AskHolder());
        assertThat(seen.heldBy("worker-0").plan())
                .isEqualTo(new TaskPlan.UpdateStatus(new StatusTransition.Unchanged()));
        assertThat(seen.heldByNobody().plan()).isEqualTo(seen.end(1, StopReason.mayHaveRun()));
    }

    @Test
    void anAtMostOnceTaskWhoseRunWasSeenAndLostIsNotResumed() {
        final Seen seen = Seen.task("suspend: true, delivery: AtMostOnce").running(1);
        final TaskEvent ended = Events.at(
                seen.task, Kind.CANCELLED, 1, 0, new TaskEvent.Failure("Suspended", "asked to", false), Events.ENDED);
        assertThat(seen.event(ended).said().error().type()).isEqualTo("MayHaveRun");
    }

    @Test
    void aMessageThatNobodyCanLookForIsNotLost() {
        final Seen seen = Seen.task("delivery: AtMostOnce").queued(1).lost();
        seen.pool().setStatus(null);
        assertThat(((TaskPlan.UpdateStatus) seen.plan()).view()).isInstanceOf(StatusTransition.Waiting.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"AtLeastOnce", "ResetThenRetry"})
    void otherTasksWhoseMessageIsLostArePublishedAgain(String delivery) {
        final Seen seen = Seen.task("delivery: " + delivery).queued(1).lost();
        assertThat(seen.plan()).isEqualTo(new TaskPlan.Publish(seen.pool(), 1, false, true));
    }
}
