package dev.codeforge.operator.scaling;

import dev.codeforge.jetstream.TaskQueue;
import dev.codeforge.operator.scaling.ReplicaPlanner.Decision;
import dev.codeforge.operator.scaling.ReplicaPlanner.Limits;
import dev.codeforge.operator.scaling.ScaleDownPlanner.WorkerView;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** The real planners in a loop: decides on events, 100 ms apart at least, and each 2 s; drains in two round trips. */
final class SimulatedOperator {
    static final Duration TICK = Duration.ofSeconds(2);
    static final Duration DEBOUNCE = Duration.ofMillis(100);
    static final Duration ROUND_TRIP = Duration.ofMillis(10);

    /** What was decided, and of what. */
    record Look(long at, Workers workers, int busy, Optional<TaskQueue.Sample> sample, Decision decision) {}

    /** A change of the Deployment's replicas. */
    record Scale(long at, int from, int to, int busy) {}

    private final ReplicaPlanner replicas = new ReplicaPlanner();
    private final ScaleDownPlanner drains = new ScaleDownPlanner();
    private final SimulatedTime time;
    private final SimulatedQueue queue;
    private final SimulatedWorkers workers;
    private final double lostAnswers;
    private Limits limits;
    private DemandWindow window = DemandWindow.EMPTY;
    private boolean asked;
    private long free;
    private int life;
    final List<Look> looks = new ArrayList<>();
    final List<Scale> scales = new ArrayList<>();

    SimulatedOperator(
            SimulatedTime time, SimulatedQueue queue, SimulatedWorkers workers, Limits limits, double lostAnswers) {
        this.time = time;
        this.queue = queue;
        this.workers = workers;
        this.limits = limits;
        this.lostAnswers = lostAnswers;
    }

    void tick() {
        wake();
        time.in(TICK, this::tick);
    }

    void wake() {
        if (!asked) {
            asked = true;
            time.at(free, this::decide);
        }
    }

    /** A drain that is under way ends with the process: its leases are taken back, so it must not shrink any more. */
    void restart() {
        life++;
        window = DemandWindow.EMPTY;
        workers.resumeAllBut(Set.of(), queue);
    }

    void change(Limits changed) {
        limits = changed;
        wake();
    }

    private void decide() {
        asked = false;
        free = time.now() + DEBOUNCE.toMillis();
        final Optional<TaskQueue.Sample> sample = queue.sample();
        final Workers seen = workers.seen();
        final Decision decision = replicas.decide(
                new ReplicaPlanner.Input(limits, sample, seen, false, workers.serviceTime(), window, time.instant()));
        looks.add(new Look(time.now(), seen, workers.busy(), sample, decision));
        window = decision.window();
        final List<String> victims =
                drains.candidates(workers.views(), workers.views().size() - decision.desired());
        workers.resumeAllBut(victims, queue);
        if (decision.desired() >= seen.replicas()) {
            workers.replaceSpent(queue);
        }
        if (decision.desired() > seen.replicas()) {
            scale(decision.desired());
        } else if (!victims.isEmpty()) {
            step(() -> drain(victims));
        }
    }

    private void drain(List<String> victims) {
        final Set<String> drained = victims.stream()
                .filter(victim -> workers.drain(victim, lostAnswers, queue))
                .collect(Collectors.toSet());
        workers.cost(drained);
        step(() -> shrink(victims, drained));
    }

    private void step(Runnable next) {
        final int begunIn = life;
        time.in(ROUND_TRIP, () -> {
            if (life == begunIn) {
                next.run();
            }
        });
    }

    private void shrink(List<String> victims, Set<String> drained) {
        final List<WorkerView> views = workers.views();
        final Predicate<WorkerView> goes =
                view -> drained.contains(view.pod()) || (victims.contains(view.pod()) && !view.ready());
        final int target = (int) (views.size() - views.stream().filter(goes).count());
        if (target < workers.seen().replicas() && drains.maySwitch(views, drained, target)) {
            scale(target);
        }
    }

    private void scale(int target) {
        scales.add(new Scale(time.now(), workers.seen().replicas(), target, workers.busy()));
        workers.scale(target, queue);
    }
}
