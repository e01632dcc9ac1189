package dev.codeforge.operator.scaling;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.jetstream.Connections;
import dev.codeforge.jetstream.WorkerControl.Answer;
import dev.codeforge.operator.pool.workers.WorkerDrain;
import dev.codeforge.operator.pool.workers.WorkerPods;
import dev.codeforge.operator.scaling.ReplicaPlanner.Decision;
import dev.codeforge.operator.scaling.ReplicaPlanner.Why;
import dev.codeforge.operator.scaling.ScaleDownPlanner.Asked;
import dev.codeforge.operator.scaling.ScaleDownPlanner.Departures;
import dev.codeforge.operator.scaling.ScaleDownPlanner.WorkerView;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Makes a pool smaller without ending a run: asks idle workers to take no further task, marks them, and only then
 * lowers the replicas. An operator that is killed at any step leaves workers that resume by themselves when their lease
 * expires, and marks that {@link #settle} removes. {@link ScaleDownPlanner} selects the workers.
 */
public final class ScaleDown {
    /** Each question costs one request a worker, so not every event asks. */
    private static final Duration PAUSE = Duration.ofSeconds(2);
    /** Well within the lease of 60 s that the workers were asked for. */
    private static final Duration TRUSTED = Duration.ofSeconds(30);

    private final WorkerScale scale;
    private final Connections connections;
    private final Clock clock;
    private final ScaleDownPlanner planner = new ScaleDownPlanner();

    public ScaleDown(WorkerScale scale, Connections connections, Clock clock) {
        this.scale = scale;
        this.connections = connections;
        this.clock = clock;
    }

    /** What is remembered of one pool. */
    public static final class Memory {
        private final WorkerScale.Memory scale;
        /** True once this leader has asked all workers to resume, because the former leader may have drained some. */
        private boolean resumed;
        /** Workers that were drained and have not been asked to resume. */
        private Set<String> held = Set.of();

        private Instant next = Instant.MIN;
        private int sizeAtLast;
        private Optional<Decision> last = Optional.empty();

        public Memory(WorkerScale.Memory scale) {
            this.scale = scale;
        }
    }

    /**
     * Removes as many workers as are idle, at most down to the decided number.
     *
     * @return the decision as far as it could be carried out
     */
    public Decision execute(WorkerPool pool, Memory memory, Deployment deployment, List<Pod> pods, Decision decision) {
        final int present = deployment.getSpec().getReplicas();
        if (memory.last.isPresent()
                && memory.sizeAtLast == present
                && clock.instant().isBefore(memory.next)) {
            return keeping(
                    decision, memory.last.get().desired(), memory.last.get().why());
        }
        final Decision done = WorkerPods.settled(deployment, pods)
                ? remove(pool, memory, deployment, WorkerPods.alive(pods), decision)
                : await(pool, memory, deployment, pods, decision);
        memory.next = clock.instant().plus(PAUSE);
        memory.sizeAtLast = present;
        memory.last = Optional.of(done);
        return done;
    }

    /** Kubernetes is still removing pods: the drained workers stay drained. */
    private Decision await(WorkerPool pool, Memory memory, Deployment deployment, List<Pod> pods, Decision decision) {
        final Set<String> waiting = new HashSet<>(names(WorkerScale.marked(pods)));
        waiting.addAll(memory.held);
        drain(pool).finish(waiting);
        return keeping(
                decision,
                deployment.getSpec().getReplicas(),
                WorkerPods.rollingOut(deployment) ? Why.RollingOut : Why.WorkersBusy);
    }

    private Decision remove(WorkerPool pool, Memory memory, Deployment deployment, List<Pod> alive, Decision decision) {
        final Instant asked = clock.instant();
        final WorkerDrain drain = drain(pool);
        final Map<String, Answer> answers = drain.look(names(alive));
        final List<WorkerView> views = views(alive, answers);
        final List<String> candidates = planner.candidates(views, alive.size() - decision.desired());
        final Departures departures = planner.departures(
                new Asked(views, answers.keySet(), candidates, drain.drain(candidates), memory.held),
                decision,
                pool.getSpec().tasksPerWorker());
        drain.finish(departures.finishing());
        hold(drain, memory, alive, candidates, departures.held());
        pardon(drain, outOf(WorkerScale.marked(alive), departures.leaving(), false));
        final int present = deployment.getSpec().getReplicas();
        if (departures.size() == present) {
            return keeping(decision, present, Why.WorkersBusy);
        }
        final boolean lowered = departures.maySwitch()
                && scale.mark(outOf(alive, departures.leaving(), true))
                && clock.instant().isBefore(asked.plus(TRUSTED))
                && scale.lower(pool, memory.scale, deployment, departures.size());
        if (!lowered) {
            hold(drain, memory, alive, departures.leaving(), departures.finishing());
            return keeping(decision, present, Why.WorkersBusy);
        }
        return keeping(
                decision,
                departures.size(),
                departures.size() == decision.desired() ? decision.why() : Why.WorkersBusy);
    }

    /**
     * Resumes the workers that were drained, now or before, and are not held any more, also those whose answer came too late. A worker
     * that is being deleted stays drained: it would take a task before its SIGTERM.
     */
    private static void hold(
            WorkerDrain drain, Memory memory, List<Pod> alive, Collection<String> asked, Set<String> held) {
        final Set<String> asking = new HashSet<>(memory.held);
        asking.addAll(asked);
        drain.resume(names(alive).stream()
                .filter(pod -> asking.contains(pod) && !held.contains(pod))
                .toList());
        memory.held = held;
    }

    /** Takes back a scale-down that is not wanted any more, or was interrupted. */
    public void settle(WorkerPool pool, Memory memory, Deployment deployment, List<Pod> pods) {
        memory.last = Optional.empty();
        if (WorkerPods.settled(deployment, pods)) {
            hold(drain(pool), memory, WorkerPods.alive(pods), Set.of(), Set.of());
            pardon(drain(pool), WorkerScale.marked(pods));
        }
    }

    /**
     * The former leader may have stopped after it drained workers and before it removed them. This happens only after the first apply of
     * the Deployment, after which the former leader can remove none of them.
     */
    public void resumeOnce(WorkerPool pool, Memory memory, List<Pod> pods) {
        if (!memory.resumed && connections.isConnected()) {
            drain(pool)
                    .resume(names(WorkerPods.alive(pods).stream()
                            .filter(pod -> !WorkerScale.isMarked(pod))
                            .toList()));
            memory.resumed = true;
        }
    }

    /** The mark last: one that is left over is found and removed later. */
    private void pardon(WorkerDrain drain, List<Pod> pods) {
        drain.resume(names(pods));
        pods.forEach(scale::unmark);
    }

    private static List<WorkerView> views(List<Pod> pods, Map<String, Answer> answers) {
        return pods.stream()
                .map(pod -> new WorkerView(
                        name(pod),
                        WorkerPods.isReady(pod),
                        Optional.ofNullable(answers.get(name(pod)))
                                .filter(Answer::idle)
                                .map(Answer::idleFor),
                        Instant.parse(pod.getMetadata().getCreationTimestamp()),
                        Optional.ofNullable(answers.get(name(pod)))
                                .filter(Answer::isSpent)
                                .isPresent()))
                .toList();
    }

    private static Decision keeping(Decision decision, int size, Why why) {
        return new Decision(size, why, decision.demand(), decision.window());
    }

    private WorkerDrain drain(WorkerPool pool) {
        return new WorkerDrain(
                connections.workers(),
                pool.getMetadata().getNamespace(),
                pool.getMetadata().getName());
    }

    private static List<Pod> outOf(List<Pod> pods, Set<String> names, boolean in) {
        return pods.stream().filter(pod -> names.contains(name(pod)) == in).toList();
    }

    private static List<String> names(Collection<Pod> pods) {
        return pods.stream().map(ScaleDown::name).toList();
    }

    private static String name(Pod pod) {
        return pod.getMetadata().getName();
    }
}
