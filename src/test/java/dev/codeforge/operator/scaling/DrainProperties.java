package dev.codeforge.operator.scaling;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.operator.scaling.DrainPlanner.WorkerView;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;

/** What holds for every set of workers, against the ReplicaSet's rule with the worst choice where it leaves one. */
final class DrainProperties {
    private static final Instant START = Instant.parse("2026-11-24T12:00:00Z");

    private final DrainPlanner planner = new DrainPlanner();

    private record Shape(
            boolean ready,
            boolean terminating,
            Optional<Integer> idleSeconds,
            int age,
            boolean costed,
            boolean spent) {}

    @Property(edgeCases = EdgeCasesMode.NONE)
    void theReplicaSetTakesTheDrainedAndWhoIsNotReady(
            @ForAll("workers") List<WorkerView> workers, @ForAll @IntRange(max = 8) int target) {
        final Set<String> drained = workers.stream()
                .filter(worker -> worker.costed() && worker.idleFor().isPresent())
                .map(WorkerView::pod)
                .collect(Collectors.toSet());
        if (planner.maySwitch(workers, drained, target)) {
            assertThat(taken(workers, drained, target))
                    .allMatch(worker -> !worker.ready() || drained.contains(worker.pod()));
        }
    }

    /** So no drain is in vain: who was found, and has a cost as the only one, may go. */
    @Property(edgeCases = EdgeCasesMode.NONE)
    void theCandidatesMayGoWhenAllOfThemHaveAnswered(
            @ForAll("workers") List<WorkerView> workers, @ForAll @IntRange(max = 8) int surplus) {
        final Set<String> drained = Set.copyOf(planner.candidates(workers, surplus));
        final List<WorkerView> costed = workers.stream()
                .map(worker -> new WorkerView(
                        worker.pod(),
                        worker.ready(),
                        worker.terminating(),
                        worker.idleFor(),
                        worker.created(),
                        drained.contains(worker.pod()),
                        worker.spent()))
                .toList();
        final int alive =
                (int) workers.stream().filter(worker -> !worker.terminating()).count();
        assertThat(planner.maySwitch(costed, drained, alive - drained.size())).isTrue();
    }

    @Property(edgeCases = EdgeCasesMode.NONE)
    void noCandidateIsBusyWhileReady(
            @ForAll("workers") List<WorkerView> workers, @ForAll @IntRange(max = 8) int surplus) {
        final List<String> candidates = planner.candidates(workers, surplus);
        assertThat(candidates).hasSizeLessThanOrEqualTo(surplus);
        assertThat(workers.stream().filter(worker -> candidates.contains(worker.pod())))
                .allMatch(worker -> !worker.terminating())
                .allMatch(worker -> !worker.ready() || worker.idleFor().isPresent());
    }

    private static List<WorkerView> taken(List<WorkerView> workers, Set<String> drained, int target) {
        final Comparator<WorkerView> rule =
                Comparator.comparing(WorkerView::ready).thenComparing(worker -> !worker.costed());
        final List<WorkerView> alive = workers.stream()
                .filter(worker -> !worker.terminating())
                .sorted(rule.thenComparing(worker -> drained.contains(worker.pod())))
                .toList();
        return alive.subList(0, Math.max(0, alive.size() - target));
    }

    @Provide
    Arbitrary<List<WorkerView>> workers() {
        final Arbitrary<Boolean> seldom = Arbitraries.of(true, false, false, false);
        final Arbitrary<Boolean> often = seldom.map(yes -> !yes);
        return Combinators.combine(
                        often,
                        seldom,
                        Arbitraries.integers().between(0, 3).optional(0.7),
                        Arbitraries.integers().between(0, 3),
                        seldom,
                        seldom)
                .as(Shape::new)
                .list()
                .ofMaxSize(8)
                .map(shapes -> IntStream.range(0, shapes.size())
                        .mapToObj(i -> view("w" + i, shapes.get(i)))
                        .toList());
    }

    private static WorkerView view(String pod, Shape shape) {
        return new WorkerView(
                pod,
                shape.ready(),
                shape.terminating(),
                shape.idleSeconds().map(Duration::ofSeconds),
                START.minusSeconds(shape.age()),
                shape.costed(),
                shape.spent());
    }
}
