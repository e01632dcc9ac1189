package dev.codeforge.operator.scaling;

import dev.codeforge.jetstream.WorkerControl.Answer;
import dev.codeforge.operator.scaling.ReplicaPlanner.Decision;
import dev.codeforge.operator.scaling.ReplicaPlanner.Why;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Chooses the workers that may go when a pool shrinks, and checks that the ReplicaSet would remove just those. Pure.
 *
 * <p>The ReplicaSet chooses by the first difference of: not assigned to a node, phase (Pending, Unknown, Running), not
 * ready, lower deletion cost, then properties outside of our control (ActivePodsWithRanks in kube-controller-manager). So all that
 * are not ready go before any that is, and among ready ones the lowest cost. {@link #maySwitch} lets either only workers
 * that are not ready go, whichever the ReplicaSet prefers of them; or all of these and just as many ready ones as carry a
 * cost below zero. The costs of those that stay are taken back before. In both cases no choice is left to the ReplicaSet
 * that could hit a ready worker without a cost. A worker that becomes ready in between only counts if it carries a cost
 * too: write it on every one that leaves, ready or not.
 */
final class ScaleDownPlanner {
    private static final Comparator<WorkerView> SPENT = Comparator.comparing((WorkerView worker) -> !worker.spent());
    private static final Comparator<WorkerView> YOUNGEST_THEN_NAME =
            Comparator.comparing(WorkerView::created).reversed().thenComparing(WorkerView::pod);
    private static final Comparator<WorkerView> LONGEST_IDLE = Comparator.comparing(
                    (WorkerView worker) -> worker.idleFor().orElse(Duration.ZERO))
            .reversed()
            .thenComparing(YOUNGEST_THEN_NAME);

    /**
     * A worker that counts as a replica, as seen just now.
     *
     * @param pod its name
     * @param ready the pod's Ready condition; false for one that is pending
     * @param idleFor since its last task ended; empty when it is busy or does not answer
     * @param created the pod's creation
     * @param spent it has had its one task, and takes no other
     */
    record WorkerView(String pod, boolean ready, Optional<Duration> idleFor, Instant created, boolean spent) {}

    /**
     * The answers of a pool's workers.
     *
     * @param talking names of those that answered
     * @param candidates those that {@link #candidates} has chosen
     * @param drained answers of the candidates to the drain
     * @param held workers that were drained before
     */
    record Asked(
            List<WorkerView> workers,
            Set<String> talking,
            List<String> candidates,
            Map<String, Answer> drained,
            Set<String> held) {}

    /**
     * The workers that go.
     *
     * @param leaving those that take no task and may be removed
     * @param finishing busy ones that take no further task, so that they can go later
     * @param size of the pool without the leaving, at least the decided size
     * @param maySwitch whether the ReplicaSet would remove only the leaving
     */
    record Departures(Set<String> leaving, Set<String> finishing, int size, boolean maySwitch) {
        /** All that take no further task. */
        Set<String> held() {
            final Set<String> all = new HashSet<>(leaving);
            all.addAll(finishing);
            return all;
        }
    }

    /**
     * The workers to drain, best first: those that are not ready, the youngest of them first (they wait for a node or start);
     * then those that were idle longest. Of both the spent ones before others, which may take a task.
     *
     * @param surplus how many may go
     * @return at most so many names; never a ready worker that is busy or silent
     */
    List<String> candidates(List<WorkerView> workers, int surplus) {
        final Stream<WorkerView> notReady =
                workers.stream().filter(worker -> !worker.ready()).sorted(SPENT.thenComparing(YOUNGEST_THEN_NAME));
        final Stream<WorkerView> idle = workers.stream()
                .filter(worker -> worker.ready() && worker.idleFor().isPresent())
                .sorted(SPENT.thenComparing(LONGEST_IDLE));
        return Stream.concat(notReady, idle)
                .limit(Math.max(0, surplus))
                .map(WorkerView::pod)
                .toList();
    }

    /** @param tasksPerWorker of the pool */
    Departures departures(Asked asked, Decision decision, int tasksPerWorker) {
        final int alive = asked.workers().size();
        final Set<String> leaving = leaving(asked);
        return new Departures(
                leaving,
                needsFinishers(decision, tasksPerWorker)
                        ? finishing(asked, leaving, alive - decision.desired() - leaving.size())
                        : Set.of(),
                Math.max(decision.desired(), alive - leaving.size()),
                maySwitch(asked.workers(), leaving, alive - leaving.size()));
    }

    /** Those that take no task: they said so, or they are not ready and did not answer. */
    private static Set<String> leaving(Asked asked) {
        final Set<String> ready = asked.workers().stream()
                .filter(WorkerView::ready)
                .map(WorkerView::pod)
                .collect(Collectors.toSet());
        return asked.candidates().stream()
                .filter(pod -> Optional.ofNullable(asked.drained().get(pod))
                        .map(Answer::mayGo)
                        .orElse(!ready.contains(pod) && !asked.talking().contains(pod)))
                .collect(Collectors.toSet());
    }

    /** With a lower size set by hand while tasks wait, or with few tasks spread over many slots, no worker is ever idle. */
    private static boolean needsFinishers(Decision decision, int tasksPerWorker) {
        return decision.why() == Why.Fixed || decision.why() == Why.MaximumLowered || tasksPerWorker > 1;
    }

    private Set<String> finishing(Asked asked, Set<String> leaving, int surplus) {
        // A worker that was drained before and does not answer now may still finish.
        final List<WorkerView> able = asked.workers().stream()
                .filter(view ->
                        asked.talking().contains(view.pod()) || asked.held().contains(view.pod()))
                .filter(view -> !leaving.contains(view.pod()))
                .toList();
        return Set.copyOf(finishers(able, asked.held(), surplus));
    }

    /**
     * The workers to let finish when the pool has to shrink although all are busy: those that finish already, then the youngest.
     *
     * @param finishing those that were asked before
     * @param surplus how many have to go
     * @return at most so many names of ready workers that are busy
     */
    List<String> finishers(List<WorkerView> workers, Set<String> finishing, int surplus) {
        return workers.stream()
                .filter(worker -> worker.ready() && worker.idleFor().isEmpty())
                .sorted(Comparator.comparing((WorkerView worker) -> !finishing.contains(worker.pod()))
                        .thenComparing(YOUNGEST_THEN_NAME))
                .limit(Math.max(0, surplus))
                .map(WorkerView::pod)
                .toList();
    }

    /**
     * Whether /scale may be set to this number: the ReplicaSet would remove only drained workers and those that are not ready.
     *
     * @param drained those that answered idle and draining within their lease, and whose cost is written, as no other's is
     */
    boolean maySwitch(List<WorkerView> workers, Set<String> drained, int target) {
        final List<WorkerView> ready =
                workers.stream().filter(WorkerView::ready).toList();
        final int surplus = workers.size() - target;
        final int notReady = workers.size() - ready.size();
        final long leaving =
                ready.stream().filter(worker -> drained.contains(worker.pod())).count();
        return leaving == Math.max(0, surplus - notReady);
    }
}
