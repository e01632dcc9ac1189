package dev.codeforge.operator.scaling;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.jetstream.QueueSample;
import dev.codeforge.operator.scaling.ReplicaPlanner.Decision;
import dev.codeforge.operator.scaling.ReplicaPlanner.Why;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class ReplicaPlannerTest {
    private static final Instant START = Instant.parse("2026-11-24T12:00:00Z");

    private final ReplicaPlanner planner = new ReplicaPlanner();
    private int min = 0;
    private int max = 10;
    private int tasksPerWorker = 1;
    private int maxAckPending = 1000;
    private boolean suspended = false;
    private int current = 0;
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
    void aBusyWorkerIsNeverRemoved() {
        at(0, 5, 0);
        at(10, 0, 1);
        assertDecision(at(90, 0, 1), 5, Why.WorkersBusy);
        assertDecision(at(160, 0, 0), 1, Why.QueueShrank);
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
        return decide(second, Optional.of(new QueueSample(waiting, running, waiting + running, suspended)));
    }

    private Decision decide(int second, Optional<QueueSample> sample) {
        final Decision decision = planner.decide(new ReplicaPlanner.Input(
                new ReplicaPlanner.Limits(min, max, tasksPerWorker, maxAckPending, Duration.ofSeconds(60)),
                sample,
                current,
                suspended,
                window,
                START.plusSeconds(second)));
        current = decision.desired();
        window = decision.window();
        return decision;
    }
}
