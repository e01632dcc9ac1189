package dev.codeforge.operator.scaling;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.operator.scaling.ReplicaPlanner.Limits;
import dev.codeforge.operator.scaling.Simulation.Fault;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/**
 * The planners under the loads that a pool meets, in virtual time: pods are ready after 2 s, the window is 60 s. Prints a
 * line per load; docs/design/010-who-may-go.md quotes them.
 */
final class ScalingSimulationTest {
    private static final Duration WINDOW = Duration.ofSeconds(60);
    private static final Duration QUIET = Duration.ofMinutes(5);
    private static final StringBuilder TABLE = new StringBuilder(Figures.header());

    @AfterAll
    static void print() {
        System.out.println(TABLE);
    }

    @Test
    void oneMessageStartsItsWorkerAtOnce() {
        final Figures figures = run(Simulation.upTo(50), Load.one());
        assertThat(figures.decided().max()).isLessThanOrEqualTo(100);
        assertThat(figures.started().max()).isLessThanOrEqualTo(2100);
        assertThat(figures.podTime()).isLessThan(Duration.ofSeconds(20 * 80));
    }

    @Test
    void anOutsideMessageWaitsForATickAtMost() {
        final Figures figures = run(Simulation.upTo(50).ofOutsideMessages(), "one from outside, 20 times", Load.one());
        assertThat(figures.decided().max()).isLessThanOrEqualTo(2000);
    }

    @Test
    void aBurstIsMetAtOnce() {
        final Figures figures = run(Simulation.upTo(100), Load.burst());
        assertThat(figures.decided().max()).isLessThanOrEqualTo(100);
        assertThat(figures.started().max()).isLessThanOrEqualTo(2200);
        assertThat(figures.most()).isEqualTo(100);
        assertThat(figures.reversals()).isZero();
    }

    @Test
    void aBurstWithATargetAgeTakesFewerWorkersAndKeepsTheTarget() {
        final Figures figures = run(
                withTargetAge(Duration.ofSeconds(60)).knowing(runsOf(Duration.ofSeconds(10))),
                "burst of 100, age ≤ 60 s",
                Load.burst());
        assertThat(figures.started().max()).isLessThanOrEqualTo(62_200);
        assertThat(figures.most()).isLessThanOrEqualTo(17);
    }

    @Test
    void aBurstInStepsGrowsAsWorkersBecomeReady() {
        final Limits limits = new Limits(0, 100, 1, 1000, WINDOW, Optional.empty(), OptionalInt.of(10));
        final Figures figures = run(Simulation.upTo(100).with(limits), "burst of 100, step 10", Load.burst());
        assertThat(figures.most()).isBetween(50, 100);
        assertThat(figures.started().max()).isBetween(4000L, 21_000L);
    }

    @Test
    void aPoissonLoadIsServed() {
        final Figures figures = run(Simulation.upTo(50), Load.poisson(7));
        assertThat(figures.started().p50()).isZero();
        assertThat(figures.started().max()).isLessThanOrEqualTo(2200);
    }

    @Test
    void aSawtoothIsServed() {
        final Figures figures = run(Simulation.upTo(50), Load.sawtooth());
        assertThat(figures.started().max()).isLessThanOrEqualTo(2200);
    }

    @Test
    void aLongTaskKeepsItsWorkerAndNoOther() {
        final Figures figures = run(Simulation.upTo(50), Load.bimodal());
        assertThat(figures.idleTime()).isLessThan(figures.podTime().dividedBy(5));
    }

    @Test
    void tasksThatAreGivenBackAddNoWorkers() {
        final Figures figures = run(Simulation.upTo(50), Load.nakStorm());
        assertThat(figures.most()).isLessThanOrEqualTo(50);
        assertThat(figures.redeliveries()).isEqualTo(200);
    }

    @Test
    void poisonIsGivenUpAndLeavesNoWorkerBehind() {
        final Figures figures = run(Simulation.upTo(50), Load.poison());
        assertThat(figures.redeliveries()).isEqualTo(10);
        assertThat(figures.most()).isLessThanOrEqualTo(25);
    }

    @Test
    void aRestartOfNatsRemovesNobodyAndLosesNothing() {
        final Simulation restart = Simulation.upTo(50).with(0, 1000, List.of(new Fault.Outage(6000, 36_000)));
        final Figures figures = run(restart, "burst of 100, NATS away 30 s", Load.burst());
        assertThat(figures.reversals()).isZero();
        assertThat(figures.redeliveries()).isZero();
    }

    /** A busy worker goes on with the next task, so the pool shrinks when nothing waits; the window is not waited for. */
    @Test
    void aLoweredMaximumTakesWhoFallsIdle() {
        final Simulation lowered = Simulation.upTo(50).with(0, 1000, List.of(new Fault.MaximumSet(8000, 5)));
        final Figures figures = run(lowered, "burst of 100, max 50 → 5", Load.burst());
        assertThat(figures.redeliveries()).isZero();
        assertThat(figures.podTime()).isLessThan(Duration.ofSeconds(50 * 30));
    }

    @Test
    void whereEachTaskHasAWorkerABurstWaitsForTheStartOfEach() {
        final Figures figures =
                run(Simulation.upTo(50).withAWorkerPerTask(), "burst of 100, a worker a task", Load.burst());
        assertThat(figures.redeliveries()).isZero();
        assertThat(figures.started().max()).isLessThanOrEqualTo(14_500);
    }

    @Test
    void whereEachTaskHasAWorkerAPoissonLoadIsServed() {
        final Figures figures =
                run(Simulation.upTo(50).withAWorkerPerTask(), "Poisson, a worker a task", Load.poisson(7));
        assertThat(figures.redeliveries()).isZero();
        assertThat(figures.started().max()).isLessThanOrEqualTo(4200);
    }

    @Test
    void whereEachTaskHasAWorkerNoneIsLeftThatWaitsForEver() {
        final Limits limits = new Limits(1, 5, 1, 1000, WINDOW, Optional.empty(), OptionalInt.of(2));
        final Simulation.Outcome outcome = Simulation.upTo(5)
                .with(limits)
                .with(0.3, 4, List.of(new Fault.OperatorRestart(9000), new Fault.MaximumSet(20_000, 2)))
                .withAWorkerPerTask()
                .run(Load.burst(), QUIET);
        assertThat(outcome.busyKills()).isZero();
        assertThat(outcome.scales().getLast().to()).isEqualTo(1);
    }

    private static Simulation withTargetAge(Duration target) {
        return Simulation.upTo(100).with(new Limits(0, 100, 1, 1000, WINDOW, Optional.of(target), OptionalInt.empty()));
    }

    private static ServiceTime runsOf(Duration run) {
        return new ServiceTime(Collections.nCopies(20, run));
    }

    private static Figures run(Simulation simulation, Load load) {
        return run(simulation, load.name(), load);
    }

    /** What holds under every load: nobody busy is killed, and in the end nobody is left. */
    private static Figures run(Simulation simulation, String name, Load load) {
        final Simulation.Outcome outcome = simulation.run(load, QUIET);
        final Figures figures = Figures.of(outcome, WINDOW);
        TABLE.append('\n').append(figures.row(name));
        assertThat(figures.busyKills()).isZero();
        assertThat(outcome.scales().getLast().to()).isZero();
        return figures;
    }
}
