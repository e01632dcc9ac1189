package dev.codeforge.operator.scaling;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.jetstream.TaskQueue;
import dev.codeforge.operator.scaling.ReplicaPlanner.Decision;
import dev.codeforge.operator.scaling.ReplicaPlanner.Why;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

final class ReplicaPlannerTest {
    private static final Instant START = Instant.parse("2026-11-24T12:00:00Z");

    private final ReplicaPlanner planner = new ReplicaPlanner();
    private int min = 0;
    private int max = 10;
    private int tasksPerWorker = 1;
    private int maxAckPending = 1000;
    private boolean suspended = false;
    private Optional<Duration> queueAgeTarget = Optional.empty();
    private OptionalInt maxStep = OptionalInt.empty();
    private Optional<Duration> serviceTime = Optional.empty();
    private int current = 0;
    private int starting = 0;
    private int unschedulable = 0;
    private boolean rollingOut = false;
    private DemandWindow window = DemandWindow.EMPTY;

    @Test
    void theFirstTaskStartsTheFirstWorkerAtOnce() {
        assertThat(at(0, 1, 0)).isEqualTo(new Decision(1, Why.QueueGrew, 1, window));
    }

    @Test
    void aBurstIsMetInOneStep() {
        current = 2;
        assertDecision(at(0, 6, 2), 8, Why.QueueGrew);
    }

    @Test
    void aTaskThatRunsNeedsItsWorkerToo() {
        current = 3;
        assertDecision(at(0, 0, 3), 3, Why.Steady);
    }

    @Test
    void aWorkerTakesAsManyTasksAsItMay() {
        tasksPerWorker = 4;
        assertDecision(at(0, 9, 0), 3, Why.QueueGrew);
    }

    @Test
    void thereAreNeverMoreThanTheMaximum() {
        assertDecision(at(0, 5000, 0), 10, Why.AtMaximum);
        assertDecision(at(1, 5000, 10), 10, Why.AtMaximum);
    }

    @Test
    void thereAreNeverMoreThanTheConsumerKeepsBusy() {
        max = 100;
        tasksPerWorker = 10;
        maxAckPending = 25;
        assertDecision(at(0, 5000, 0), 3, Why.AtMaximum);
    }

    @Test
    void thereAreNeverFewerThanTheMinimum() {
        min = 2;
        assertDecision(at(0, 0, 0), 2, Why.QueueGrew);
        assertDecision(at(61, 0, 0), 2, Why.Steady);
    }

    @Test
    void anEmptyPoolOfMinimumZeroStaysEmpty() {
        assertDecision(at(0, 0, 0), 0, Why.Steady);
    }

    @Test
    void fewerAreKeptOnlyWhenFewerWereEnoughForTheWholeWindow() {
        at(0, 5, 0);
        at(10, 0, 0);
        assertDecision(at(69, 0, 0), 5, Why.StabilizationWindow);
        assertDecision(at(71, 0, 0), 0, Why.QueueShrank);
    }

    @Test
    void theMostOfTheWindowIsKept() {
        at(0, 8, 0);
        at(10, 3, 0);
        at(20, 1, 0);
        assertDecision(at(75, 1, 0), 3, Why.QueueShrank);
        assertDecision(at(85, 1, 0), 1, Why.QueueShrank);
    }

    @Test
    void aShortLullRemovesNobody() {
        at(0, 5, 0);
        at(10, 0, 0);
        at(50, 5, 0);
        assertDecision(at(75, 0, 0), 5, Why.StabilizationWindow);
    }

    @Test
    void aRestartedOperatorRemovesNobodyAtOnce() {
        current = 5;
        assertDecision(at(0, 0, 0), 5, Why.StabilizationWindow);
        assertDecision(at(59, 0, 0), 5, Why.StabilizationWindow);
        assertDecision(at(60, 0, 0), 0, Why.QueueShrank);
    }

    @Test
    void whatRunsIsNeverCountedAway() {
        tasksPerWorker = 2;
        at(0, 10, 0);
        at(10, 0, 3);
        assertDecision(at(90, 0, 3), 2, Why.QueueShrank);
        assertDecision(at(160, 0, 3), 2, Why.Steady);
    }

    @Test
    void aLoweredMaximumIsMetAtOnce() {
        at(0, 8, 0);
        max = 5;
        assertDecision(at(1, 0, 8), 5, Why.MaximumLowered);
        assertDecision(at(2, 0, 8), 5, Why.AtMaximum);
    }

    @Test
    void aLoweredMaximumBindsARestartedOperatorToo() {
        current = 20;
        assertDecision(at(0, 0, 0), 10, Why.MaximumLowered);
        assertDecision(at(1, 0, 0), 10, Why.StabilizationWindow);
    }

    @Test
    void aRolloutRemovesNobody() {
        at(0, 5, 0);
        rollingOut = true;
        at(10, 0, 0);
        assertDecision(at(90, 0, 0), 5, Why.RollingOut);
        max = 2;
        assertDecision(at(91, 0, 0), 5, Why.RollingOut);
        rollingOut = false;
        assertDecision(at(92, 0, 0), 0, Why.MaximumLowered);
    }

    @Test
    void aRolloutDoesNotKeepThePoolFromGrowing() {
        current = 1;
        rollingOut = true;
        assertDecision(at(0, 3, 1), 4, Why.QueueGrew);
    }

    @Test
    void noMoreAreAskedForWhileTheClusterHasNoRoom() {
        current = 4;
        starting = 2;
        unschedulable = 1;
        assertDecision(at(0, 9, 0), 4, Why.Unschedulable);
        unschedulable = 0;
        assertDecision(at(2, 9, 0), 9, Why.QueueGrew);
    }

    @Test
    void workersWithoutRoomMayGo() {
        at(0, 5, 0);
        unschedulable = 3;
        at(10, 2, 0);
        assertDecision(at(75, 2, 0), 2, Why.QueueShrank);
    }

    @Test
    void aStepIsFollowedByTheNextAsItsWorkersBecomeReady() {
        maxStep = OptionalInt.of(3);
        assertDecision(at(0, 20, 0), 3, Why.StepLimit);
        starting = 3;
        assertDecision(at(2, 20, 0), 3, Why.StepLimit);
        starting = 1;
        assertDecision(at(4, 18, 2), 5, Why.StepLimit);
        starting = 0;
        assertDecision(at(6, 15, 5), 8, Why.StepLimit);
        assertDecision(at(8, 2, 8), 10, Why.QueueGrew);
    }

    @Test
    void aStepThatIsNotUsedUpIsNotMentioned() {
        maxStep = OptionalInt.of(3);
        assertDecision(at(0, 3, 0), 3, Why.QueueGrew);
    }

    @Test
    void aQueueThatMayWaitNeedsFewer() {
        max = 100;
        queueAgeTarget = Optional.of(Duration.ofSeconds(600));
        serviceTime = Optional.of(Duration.ofSeconds(60));
        assertDecision(at(0, 95, 0), 10, Why.QueueGrew);
    }

    @Test
    void tasksThatAreTakenDoNotMakeThePoolGrow() {
        max = 100;
        queueAgeTarget = Optional.of(Duration.ofSeconds(600));
        serviceTime = Optional.of(Duration.ofSeconds(60));
        at(0, 100, 0);
        assertDecision(at(2, 90, 10), 10, Why.Steady);
        assertDecision(at(60, 80, 10), 10, Why.Steady);
    }

    @Test
    void aBusyPoolDoesNotShrinkWithItsQueue() {
        max = 100;
        queueAgeTarget = Optional.of(Duration.ofSeconds(600));
        serviceTime = Optional.of(Duration.ofSeconds(60));
        at(0, 100, 0);
        at(60, 40, 10);
        assertDecision(at(180, 20, 10), 10, Why.Steady);
        at(200, 0, 4);
        assertDecision(at(261, 0, 4), 4, Why.QueueShrank);
    }

    @Test
    void tasksThatRunLongerThanTheyMayWaitGetAWorkerEach() {
        queueAgeTarget = Optional.of(Duration.ofSeconds(30));
        serviceTime = Optional.of(Duration.ofSeconds(60));
        assertDecision(at(0, 7, 0), 7, Why.QueueGrew);
    }

    @Test
    void aTaskGetsAWorkerEachUntilTheirTimeIsKnown() {
        queueAgeTarget = Optional.of(Duration.ofSeconds(600));
        assertDecision(at(0, 7, 0), 7, Why.QueueGrew);
    }

    @Test
    void aTargetAgeCountsTheTasksPerWorker() {
        tasksPerWorker = 4;
        queueAgeTarget = Optional.of(Duration.ofSeconds(600));
        serviceTime = Optional.of(Duration.ofSeconds(60));
        assertDecision(at(0, 90, 0), 3, Why.QueueGrew);
    }

    @Test
    void aQueueThatCannotBeReadChangesNothing() {
        at(0, 5, 0);
        final DemandWindow before = window;
        final Decision decision = decide(100, Optional.empty());
        assertDecision(decision, 5, Why.QueueUnavailable);
        assertThat(decision.window()).isEqualTo(before);
    }

    @Test
    void aSuspendedPoolDoesNotGrow() {
        suspended = true;
        current = 2;
        assertDecision(at(0, 9, 0), 2, Why.Suspended);
    }

    @Test
    void aSuspendedPoolShrinksAsAnother() {
        current = 2;
        at(0, 0, 0);
        suspended = true;
        assertDecision(at(61, 0, 0), 0, Why.QueueShrank);
    }

    @Test
    void theDemandIsTold() {
        assertThat(at(0, 7, 4).demand()).isEqualTo(11);
    }

    @Test
    void anEndlessQueueDoesNotOverflow() {
        assertDecision(at(0, Long.MAX_VALUE / 2, 0), 10, Why.AtMaximum);
    }

    private static void assertDecision(Decision decision, int desired, Why why) {
        assertThat(decision.why()).isEqualTo(why);
        assertThat(decision.desired()).isEqualTo(desired);
    }

    /** Decides after so many seconds, and lets the Deployment follow. */
    private Decision at(int second, long waiting, long running) {
        return decide(second, Optional.of(new TaskQueue.Sample(waiting, running, suspended)));
    }

    private Decision decide(int second, Optional<TaskQueue.Sample> sample) {
        final Decision decision = planner.decide(new ReplicaPlanner.Input(
                new ReplicaPlanner.Limits(
                        min, max, tasksPerWorker, maxAckPending, Duration.ofSeconds(60), queueAgeTarget, maxStep),
                sample,
                new Workers(current, current - starting, unschedulable, rollingOut),
                suspended,
                serviceTime,
                window,
                START.plusSeconds(second)));
        current = decision.desired();
        window = decision.window();
        return decision;
    }
}
