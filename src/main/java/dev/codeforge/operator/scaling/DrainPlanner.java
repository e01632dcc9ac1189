package dev.codeforge.operator.scaling;

import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Who may go when a pool shrinks, and whether the ReplicaSet would take just those. Pure.
 *
 * <p>The ReplicaSet chooses by the first difference of: not assigned to a node, phase (Pending, Unknown, Running), not
 * ready, lower deletion cost, then things that nobody rules (ActivePodsWithRanks in kube-controller-manager). So all that
 * are not ready go before any that is, and among ready ones the lowest cost. {@link #maySwitch} lets either only workers
 * that are not ready go, whichever the ReplicaSet prefers of them; or all of these and just as many ready ones as carry a
 * cost below zero, while none that stays carries one. In both cases no choice is left to the ReplicaSet that could hit a
 * ready worker without a cost. A worker that becomes ready in between only counts if it carries a cost too: write it on
 * every candidate, ready or not.
 */
public final class DrainPlanner {
    private static final Comparator<WorkerView> SPENT = Comparator.comparing((WorkerView worker) -> !worker.spent());
    private static final Comparator<WorkerView> YOUNGEST_THEN_NAME =
            Comparator.comparing(WorkerView::created).reversed().thenComparing(WorkerView::pod);
    private static final Comparator<WorkerView> LONGEST_IDLE = Comparator.comparing(
                    (WorkerView worker) -> worker.idleFor().orElse(Duration.ZERO))
            .reversed()
            .thenComparing(YOUNGEST_THEN_NAME);

    /**
     * A worker as seen just now.
     *
     * @param pod its name
     * @param ready the pod's Ready condition; false for one that is pending
     * @param terminating it has been deleted and does not count as a replica any more
     * @param idleFor since its last task ended; empty when it is busy or does not answer
     * @param created the pod's creation
     * @param costed it carries a deletion cost
     * @param spent it has had its one task, and takes no other
     */
    public record WorkerView(
            String pod,
            boolean ready,
            boolean terminating,
            Optional<Duration> idleFor,
            Instant created,
            boolean costed,
            boolean spent) {}

    /**
     * Whom to drain, best first: those that are not ready, the youngest of them first (they wait for a node or start);
     * then those that were idle longest. Of both the spent ones before others, which may take a task.
     *
     * @param surplus how many may go
     * @return at most so many names; never a ready worker that is busy or silent
     */
    public List<String> candidates(List<WorkerView> workers, int surplus) {
        final Stream<WorkerView> notReady =
                alive(workers).filter(worker -> !worker.ready()).sorted(SPENT.thenComparing(YOUNGEST_THEN_NAME));
        final Stream<WorkerView> idle = alive(workers)
                .filter(worker -> worker.ready() && worker.idleFor().isPresent())
                .sorted(SPENT.thenComparing(LONGEST_IDLE));
        return Stream.concat(notReady, idle)
                .limit(Math.max(0, surplus))
                .map(WorkerView::pod)
                .toList();
    }

    /**
     * Whom to let finish when the pool has to shrink although all are busy: those that finish already, then the youngest.
     *
     * @param finishing those that were asked before
     * @param surplus how many have to go
     * @return at most so many names of ready workers that are busy
     */
    public List<String> finishers(List<WorkerView> workers, Set<String> finishing, int surplus) {
        return alive(workers)
                .filter(worker -> worker.ready() && worker.idleFor().isEmpty())
                .sorted(Comparator.comparing((WorkerView worker) -> !finishing.contains(worker.pod()))
                        .thenComparing(YOUNGEST_THEN_NAME))
                .limit(Math.max(0, surplus))
                .map(WorkerView::pod)
                .toList();
    }

    /**
     * Whether /scale may be set to this number: the ReplicaSet would take none but the drained and those not ready.
     *
     * @param drained those that answered idle and draining within their lease, and whose cost is written
     */
    public boolean maySwitch(List<WorkerView> workers, Set<String> drained, int target) {
        final List<WorkerView> ready = alive(workers).filter(WorkerView::ready).toList();
        final long surplus = alive(workers).count() - target;
        final long notReady = alive(workers).count() - ready.size();
        final List<WorkerView> stay =
                ready.stream().filter(worker -> !drained.contains(worker.pod())).toList();
        return ready.size() - stay.size() == Math.max(0, surplus - notReady)
                && stay.stream().noneMatch(WorkerView::costed);
    }

    private static Stream<WorkerView> alive(List<WorkerView> workers) {
        return workers.stream().filter(worker -> !worker.terminating());
    }
}
