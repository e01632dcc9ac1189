package dev.codeforge.operator.scaling;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.operator.scaling.Load.Fate;
import dev.codeforge.operator.scaling.Load.Task;
import dev.codeforge.operator.scaling.ReplicaPlanner.Limits;
import dev.codeforge.operator.scaling.SimulatedOperator.Look;
import dev.codeforge.operator.scaling.SimulatedOperator.Scale;
import dev.codeforge.operator.scaling.Simulation.Fault;
import dev.codeforge.operator.scaling.Simulation.Outcome;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;

/** What holds for every pool, whatever its limits, its load and its faults. */
final class ScalingProperties {
    private static final Duration POD_START = Duration.ofSeconds(2);

    record Pool(Simulation simulation, Load load) {
        Outcome run() {
            // The longest window, a lease, and time to ask again those whose answers are lost.
            return simulation.run(load, Duration.ofMinutes(10));
        }
    }

    @Provide
    Arbitrary<Pool> pools() {
        return Combinators.combine(simulations(), loads()).as(Pool::new);
    }

    private static Arbitrary<Simulation> simulations() {
        final Arbitrary<Integer> room = Arbitraries.frequencyOf(
                Tuple.of(3, Arbitraries.just(1000)),
                Tuple.of(1, Arbitraries.integers().between(1, 12)));
        return Combinators.combine(limits(), room, Arbitraries.of(0.0, 0.0, 0.3), faults(), Arbitraries.of(true, false))
                .as((limits, fits, lost, faults, forOneTask) -> {
                    final Simulation pool = Simulation.upTo(1).with(limits).with(lost, fits, faults);
                    return forOneTask && limits.tasksPerWorker() == 1 ? pool.withAWorkerPerTask() : pool;
                });
    }

    private static Arbitrary<Limits> limits() {
        final Arbitrary<Optional<Duration>> target =
                Arbitraries.integers().between(1, 120).map(Duration::ofSeconds).optional(0.5);
        final Arbitrary<OptionalInt> step = Arbitraries.integers()
                .between(1, 5)
                .optional(0.3)
                .map(some -> some.map(OptionalInt::of).orElse(OptionalInt.empty()));
        return Combinators.combine(
                        Arbitraries.integers().between(0, 3),
                        Arbitraries.integers().between(3, 20),
                        Arbitraries.integers().between(1, 4),
                        Arbitraries.of(1, 7, 1000),
                        Arbitraries.of(0, 1, 5, 30, 60, 90).map(Duration::ofSeconds),
                        target,
                        step)
                .as(Limits::new);
    }

    private static Arbitrary<List<Fault>> faults() {
        final Arbitrary<Fault> outage = Combinators.combine(
                        Arbitraries.longs().between(0, 200_000),
                        Arbitraries.longs().between(1, 90_000))
                .as((from, lasts) -> new Fault.Outage(from, from + lasts));
        final Arbitrary<Fault> restart = Arbitraries.longs().between(0, 300_000).map(Fault.OperatorRestart::new);
        final Arbitrary<Fault> lowered = Combinators.combine(
                        Arbitraries.longs().between(0, 200_000),
                        Arbitraries.integers().between(1, 5))
                .as(Fault.MaximumSet::new);
        // One outage at most: a second would end the first.
        return Combinators.combine(outage.optional(0.3), restart.optional(0.3), lowered.optional(0.3))
                .as((first, second, third) -> Stream.of(first, second, third)
                        .flatMap(Optional::stream)
                        .toList());
    }

    private static Arbitrary<Load> loads() {
        final Arbitrary<Task> task = Combinators.combine(
                        Arbitraries.longs().between(0, 240_000),
                        Arbitraries.longs().between(200, 90_000).map(Duration::ofMillis),
                        Arbitraries.frequency(
                                Tuple.of(8, Fate.SUCCEEDS), Tuple.of(1, Fate.NAKS), Tuple.of(1, Fate.KILLS)))
                .as(Task::new);
        return task.list().ofMinSize(1).ofMaxSize(40).map(tasks -> new Load("any", tasks));
    }

    @Property(tries = 300, edgeCases = EdgeCasesMode.NONE)
    void whoIsBusyStays(@ForAll("pools") Pool pool) {
        final Outcome outcome = pool.run();
        assertThat(outcome.busyKills()).isZero();
        assertThat(outcome.scales()).allMatch(scale -> scale.to() >= scale.from() || scale.to() >= scale.busy());
    }

    @Property(tries = 300, edgeCases = EdgeCasesMode.NONE)
    void whatRunsIsNeverDecidedAway(@ForAll("pools") Pool pool) {
        for (final Look look : pool.run().looks()) {
            final int kept = Math.min(look.workers().replicas(), maximum(pool, look.at()));
            final long running = look.sample().map(sample -> sample.running()).orElse((long) kept);
            assertThat((long) look.decision().desired())
                    .isGreaterThanOrEqualTo(Math.min(
                            kept,
                            Math.ceilDiv(running, pool.simulation().limits().tasksPerWorker())));
        }
    }

    @Property(tries = 300, edgeCases = EdgeCasesMode.NONE)
    void noPoolGrowsAboveItsMaximum(@ForAll("pools") Pool pool) {
        assertThat(pool.run().scales())
                .allMatch(scale -> scale.to() <= scale.from() || scale.to() <= maximum(pool, scale.at()));
    }

    @Property(tries = 300, edgeCases = EdgeCasesMode.NONE)
    void noMoreStartThanTheStepAllows(@ForAll("pools") Pool pool) {
        final int step = pool.simulation().limits().maxStep().orElse(Integer.MAX_VALUE);
        assertThat(pool.run().looks())
                .allMatch(look -> look.decision().desired() <= look.workers().replicas()
                        || look.decision().desired() - look.workers().ready() <= step);
    }

    @Property(tries = 300, edgeCases = EdgeCasesMode.NONE)
    void aQuietPoolEndsAtItsMinimumAndStays(@ForAll("pools") Pool pool) {
        final Outcome outcome = pool.run();
        final long settled = outcome.end() - Duration.ofMinutes(5).toMillis();
        final Workers last = outcome.looks().getLast().workers();
        final int least = Math.min(pool.simulation().limits().min(), maximum(pool, outcome.end()));
        // Where not even the minimum fits, no more are asked for than showed it.
        assertThat(last.replicas())
                .isBetween(last.unschedulable() > 0 ? pool.simulation().room() : least, least);
        assertThat(outcome.scales()).allMatch(scale -> scale.at() < settled);
    }

    @Property(tries = 300, edgeCases = EdgeCasesMode.NONE)
    void nobodyGoesWithinTheWindowOfAGrowth(@ForAll("pools") Pool pool) {
        final long window = pool.simulation().limits().stabilization().toMillis();
        long grew = Long.MIN_VALUE / 2;
        for (final Scale scale : pool.run().scales()) {
            if (scale.to() > scale.from()) {
                grew = scale.at();
            } else if (scale.from() <= maximum(pool, scale.at())) {
                assertThat(scale.at() - grew).isGreaterThanOrEqualTo(window);
            }
        }
    }

    @Property(tries = 300, edgeCases = EdgeCasesMode.NONE)
    void noneIsAskedForWhileOneFindsNoNode(@ForAll("pools") Pool pool) {
        assertThat(pool.run().looks())
                .allMatch(look -> look.workers().unschedulable() == 0
                        || look.decision().desired() <= look.workers().replicas());
    }

    /** Up to the start of a pod, and twice the time between two decisions: one to grow, one to take back a drain. */
    @Property(tries = 300, edgeCases = EdgeCasesMode.NONE)
    void noTaskWaitsLongerThanTheTargetAge(@ForAll("evenLoads") Load load, @ForAll("aged") Limits limits) {
        final long most = limits.queueAgeTarget()
                .orElseThrow()
                .plus(POD_START)
                .plus(SimulatedOperator.DEBOUNCE.multipliedBy(2))
                .toMillis();
        assertThat(aged(load, limits).run(load, Duration.ZERO).messages())
                .allMatch(message -> message.firstStart.orElseThrow() - message.published <= most);
    }

    /** Its share of the longest queue there was: a pool that takes tasks does not grow by it. */
    @Property(tries = 300, edgeCases = EdgeCasesMode.NONE)
    void aTargetAgeTakesNoMoreWorkersThanItsShare(@ForAll("evenLoads") Load load, @ForAll("aged") Limits limits) {
        final double share = Math.min(
                1,
                (double) load.tasks().getFirst().runs().toMillis()
                        / limits.queueAgeTarget().orElseThrow().toMillis());
        double most = limits.min();
        for (final Look look : aged(load, limits).run(load, Duration.ZERO).looks()) {
            final double places = Math.ceil(look.decision().demand() * share);
            most = Math.max(most, Math.ceil(places / limits.tasksPerWorker()));
            assertThat((double) look.decision().desired()).isLessThanOrEqualTo(most);
        }
    }

    private static Simulation aged(Load load, Limits limits) {
        return Simulation.upTo(1000)
                .with(limits)
                .knowing(new ServiceTime(
                        Collections.nCopies(20, load.tasks().getFirst().runs())));
    }

    /** With room for every task at once. */
    @Provide
    Arbitrary<Limits> aged() {
        return Combinators.combine(limits(), Arbitraries.integers().between(1, 300))
                .as((limits, target) -> new Limits(
                        limits.min(),
                        1000,
                        limits.tasksPerWorker(),
                        1000,
                        limits.stabilization(),
                        Optional.of(Duration.ofSeconds(target)),
                        OptionalInt.empty()));
    }

    /** Tasks that all run equally long: a few bursts and single ones between. */
    @Provide
    Arbitrary<Load> evenLoads() {
        final Arbitrary<List<Long>> burst = Combinators.combine(
                        Arbitraries.longs().between(0, 400_000),
                        Arbitraries.integers().between(1, 60))
                .as((at, tasks) -> Collections.nCopies(tasks, at));
        return Combinators.combine(
                        burst.list().ofMinSize(1).ofMaxSize(6),
                        Arbitraries.longs().between(500, 120_000).map(Duration::ofMillis))
                .as((bursts, runs) -> new Load(
                        "even",
                        bursts.stream()
                                .flatMap(List::stream)
                                .sorted()
                                .map(at -> new Task(at, runs, Fate.SUCCEEDS))
                                .toList()));
    }

    private static int maximum(Pool pool, long at) {
        final int max = pool.simulation().faults().stream()
                .filter(fault -> fault instanceof Fault.MaximumSet set && set.at() <= at)
                .mapToInt(fault -> ((Fault.MaximumSet) fault).max())
                .findFirst()
                .orElse(pool.simulation().limits().max());
        final Limits limits = pool.simulation().limits();
        final int places = Math.ceilDiv(limits.maxAckPending(), limits.tasksPerWorker());
        return Math.max(Math.min(limits.min(), max), Math.min(max, places));
    }
}
