package dev.codeforge.operator.scaling;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.jetstream.Connections;
import dev.codeforge.jetstream.WorkerControl;
import dev.codeforge.operator.pool.workers.WorkerDrain;
import dev.codeforge.operator.pool.workers.WorkerPods;
import dev.codeforge.operator.scaling.DrainPlanner.WorkerView;
import dev.codeforge.operator.scaling.ReplicaPlanner.Decision;
import dev.codeforge.operator.scaling.ReplicaPlanner.Why;
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
import java.util.stream.Collectors;

/**
 * Makes a pool smaller without ending a run: workers that are idle are asked to take no further task, marked, and only then
 * counted out. Killed at any step, it leaves workers that resume by themselves when their lease is over, and marks that
 * {@link #settle} takes back.
 */
public final class ScaleDown {
    /** Asking costs a request a worker: not at each event. */
    private static final Duration PAUSE = Duration.ofSeconds(2);
    /** Well within the lease of 60 s that the workers were asked for. */
    private static final Duration TRUSTED = Duration.ofSeconds(30);

    private final WorkerScale scale;
    private final Connections connections;
    private final Clock clock;
    private final DrainPlanner planner = new DrainPlanner();

    public ScaleDown(WorkerScale scale, Connections connections, Clock clock) {
        this.scale = scale;
        this.connections = connections;
        this.clock = clock;
    }

    /** What is remembered of one pool. */
    public static final class Memory {
        private final WorkerScale.Memory scale;
        /** An operator before us may have asked its workers: they were told to go on. */
        private boolean resumed;
        /** Whom we asked to take no more, and did not tell to go on. */
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

    /** Kubernetes is at it: those that wait to be removed go on waiting. */
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
        final Map<String, WorkerControl.Answer> answers = drain.look(names(alive));
        final List<WorkerView> views = views(alive, answers);
        final int surplus = alive.size() - decision.desired();
        final List<String> candidates = planner.candidates(views, surplus);
        final Set<String> leaving = leaving(views, answers.keySet(), candidates, drain.drain(candidates));
        final Set<String> finishing = finishing(pool, memory, decision, views, answers.keySet(), leaving, surplus);
        drain.finish(finishing);
        hold(drain, memory, alive, candidates, union(leaving, finishing));
        pardon(drain, outOf(WorkerScale.marked(alive), leaving, false));
        final int size = Math.max(decision.desired(), alive.size() - leaving.size());
        final int present = deployment.getSpec().getReplicas();
        if (size == present) {
            return keeping(decision, present, Why.WorkersBusy);
        }
        final boolean mayGo = planner.maySwitch(views, leaving, alive.size() - leaving.size())
                && scale.mark(outOf(alive, leaving, true))
                && clock.instant().isBefore(asked.plus(TRUSTED))
                && scale.lower(pool, memory.scale, deployment, size);
        if (!mayGo) {
            hold(drain, memory, alive, leaving, finishing);
            return keeping(decision, present, Why.WorkersBusy);
        }
        return keeping(decision, size, size == decision.desired() ? decision.why() : Why.WorkersBusy);
    }

    /** Those that will take no task: they said so, or they are not ready and said nothing at all. */
    private static Set<String> leaving(
            List<WorkerView> views,
            Set<String> talking,
            List<String> candidates,
            Map<String, WorkerControl.Answer> drained) {
        final Set<String> ready =
                views.stream().filter(WorkerView::ready).map(WorkerView::pod).collect(Collectors.toSet());
        return candidates.stream()
                .filter(pod -> Optional.ofNullable(drained.get(pod))
                        .map(WorkerControl.Answer::mayGo)
                        .orElse(!ready.contains(pod) && !talking.contains(pod)))
                .collect(Collectors.toSet());
    }

    /** The busy ones that are to take no more, so that they can go one day. */
    private Set<String> finishing(
            WorkerPool pool,
            Memory memory,
            Decision decision,
            List<WorkerView> views,
            Set<String> talking,
            Set<String> leaving,
            int surplus) {
        if (!needsFinishers(pool, decision)) {
            return Set.of();
        }
        // One that was asked before and is silent now may finish all the same.
        final List<WorkerView> able = views.stream()
                .filter(view -> talking.contains(view.pod()) || memory.held.contains(view.pod()))
                .filter(view -> !leaving.contains(view.pod()))
                .toList();
        return Set.copyOf(planner.finishers(able, memory.held, surplus - leaving.size()));
    }

    /** Where somebody asked for fewer while tasks wait, or a few tasks are spread over many places, nobody is ever idle. */
    private static boolean needsFinishers(WorkerPool pool, Decision decision) {
        return decision.why() == Why.Fixed
                || decision.why() == Why.MaximumLowered
                || pool.getSpec().tasksPerWorker() > 1;
    }

    /**
     * Whoever was asked, now or before, and is not held any more goes on; also one whose answer came too late. Not who is
     * being deleted: it would take a task before it is told to stop.
     */
    private static void hold(
            WorkerDrain drain, Memory memory, List<Pod> alive, Collection<String> asked, Set<String> held) {
        final Set<String> asking = union(memory.held, asked);
        drain.resume(names(alive).stream()
                .filter(pod -> asking.contains(pod) && !held.contains(pod))
                .toList());
        memory.held = held;
    }

    /** Takes back what is left of a scale-down that nobody wants any more, or that was cut off. */
    public void settle(WorkerPool pool, Memory memory, Deployment deployment, List<Pod> pods) {
        memory.last = Optional.empty();
        if (WorkerPods.settled(deployment, pods)) {
            hold(drain(pool), memory, WorkerPods.alive(pods), Set.of(), Set.of());
            pardon(drain(pool), WorkerScale.marked(pods));
        }
    }

    /**
     * An operator before us may have been stopped between asking its workers and removing them. Only after our first apply
     * of the Deployment: so it can remove none of them afterwards.
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

    /** The mark last: one that is left is seen and taken back again. */
    private void pardon(WorkerDrain drain, List<Pod> pods) {
        drain.resume(names(pods));
        pods.forEach(scale::unmark);
    }

    /** Without marks: those of workers that stay are taken back before any may go. */
    private static List<WorkerView> views(List<Pod> pods, Map<String, WorkerControl.Answer> answers) {
        return pods.stream()
                .map(pod -> new WorkerView(
                        name(pod),
                        WorkerPods.isReady(pod),
                        false,
                        Optional.ofNullable(answers.get(name(pod)))
                                .filter(WorkerControl.Answer::idle)
                                .map(WorkerControl.Answer::idleFor),
                        Instant.parse(pod.getMetadata().getCreationTimestamp()),
                        false,
                        Optional.ofNullable(answers.get(name(pod)))
                                .filter(WorkerControl.Answer::isSpent)
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

    private static Set<String> union(Collection<String> some, Collection<String> others) {
        final Set<String> all = new HashSet<>(some);
        all.addAll(others);
        return all;
    }

    private static List<String> names(Collection<Pod> pods) {
        return pods.stream().map(ScaleDown::name).toList();
    }

    private static String name(Pod pod) {
        return pod.getMetadata().getName();
    }
}
