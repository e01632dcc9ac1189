package dev.codeforge.operator.scaling;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.operator.scaling.ScaleDownPlanner.WorkerView;
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
import net.jqwik.api.constraints.Size;

/** What holds for every set of workers, against the ReplicaSet's rule with the worst choice where it leaves one. */
final class ScaleDownProperties {
    private static final Instant START = Instant.parse("2026-11-24T12:00:00Z");

    private final ScaleDownPlanner planner = new ScaleDownPlanner();

    private record Shape(boolean ready, Optional<Integer> idleSeconds, int age, boolean spent) {}

    /** Whoever has answered carries a cost, and nobody else. */
    @Property(edgeCases = EdgeCasesMode.NONE)
    void theReplicaSetTakesTheDrainedAndWhoIsNotReady(
            @ForAll("workers") List<WorkerView> workers,
            @ForAll @Size(max = 8) Set<@IntRange(max = 7) Integer> answered,
            @ForAll @IntRange(max = 8) int target) {
        final Set<String> drained = IntStream.range(0, workers.size())
                .filter(answered::contains)
                .mapToObj(workers::get)
                .filter(worker -> worker.idleFor().isPresent())
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
        assertThat(planner.maySwitch(workers, drained, workers.size() - drained.size()))
                .isTrue();
    }

    @Property(edgeCases = EdgeCasesMode.NONE)
    void noCandidateIsBusyWhileReady(
            @ForAll("workers") List<WorkerView> workers, @ForAll @IntRange(max = 8) int surplus) {
        final List<String> candidates = planner.candidates(workers, surplus);
        assertThat(candidates).hasSizeLessThanOrEqualTo(surplus);
        assertThat(workers.stream().filter(worker -> candidates.contains(worker.pod())))
                .allMatch(worker -> !worker.ready() || worker.idleFor().isPresent());
    }

    private static List<WorkerView> taken(List<WorkerView> workers, Set<String> drained, int target) {
        final Comparator<WorkerView> rule =
                Comparator.comparing(WorkerView::ready).thenComparing(worker -> !drained.contains(worker.pod()));
        return workers.stream()
                .sorted(rule)
                .limit(Math.max(0, workers.size() - target))
                .toList();
    }

    @Provide
    Arbitrary<List<WorkerView>> workers() {
        final Arbitrary<Boolean> seldom = Arbitraries.of(true, false, false, false);
        final Arbitrary<Boolean> often = seldom.map(yes -> !yes);
        return Combinators.combine(
                        often,
                        Arbitraries.integers().between(0, 3).optional(0.7),
                        Arbitraries.integers().between(0, 3),
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
                shape.idleSeconds().map(Duration::ofSeconds),
                START.minusSeconds(shape.age()),
                shape.spent());
    }
}
