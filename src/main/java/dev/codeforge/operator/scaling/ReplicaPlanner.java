package dev.codeforge.operator.scaling;

import dev.codeforge.jetstream.TaskQueue;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * How many workers a pool should have: up at once, down over a window. Pure. Demand is waiting plus running; a task that
 * waits for redelivery counts as running. See docs/design/010-who-may-go.md for where the rules come from.
 */
public final class ReplicaPlanner {

    /** Why the number is what it is; docs/reasons.md says what each means. */
    public enum Why {
        Fixed,
        QueueGrew,
        Steady,
        AtMaximum,
        StepLimit,
        Unschedulable,
        StabilizationWindow,
        WorkersBusy,
        RollingOut,
        QueueShrank,
        MaximumLowered,
        QueueUnavailable,
        Suspended
    }

    /**
     * @param desired what the pool should have now; below the replicas it means that so many may go if they are found
     *     idle: the drain chooses them and takes no busy one
     * @param demand tasks that wait or run, 0 when the queue cannot be read
     */
    public record Decision(int desired, Why why, long demand, DemandWindow window) {}

    /**
     * @param sample empty when the queue cannot be read
     * @param suspended no task is handed out
     * @param serviceTime how long a task runs, empty when not known; used with a queue age target only
     */
    public record Input(
            Limits limits,
            Optional<TaskQueue.Sample> sample,
            Workers workers,
            boolean suspended,
            Optional<Duration> serviceTime,
            DemandWindow window,
            Instant now) {}

    /**
     * @param min fewest workers, 0 or more
     * @param max most workers, 1 or more, not less than min
     * @param tasksPerWorker tasks that a worker runs at once, 1 or more
     * @param maxAckPending tasks that the consumer lets run at once, 1 or more
     * @param stabilization how long fewer must have been enough before any goes
     * @param queueAgeTarget how long a task may wait, above zero; empty: a place for each task at once
     * @param maxStep most workers that may be starting at once, 1 or more; the next are added as these become ready
     */
    public record Limits(
            int min,
            int max,
            int tasksPerWorker,
            int maxAckPending,
            Duration stabilization,
            Optional<Duration> queueAgeTarget,
            OptionalInt maxStep) {

        /** More would have nothing to do. */
        int cap() {
            return Math.max(min, Math.min(max, places(maxAckPending)));
        }

        int clamp(long workers) {
            return (int) Math.max(min, Math.min(cap(), workers));
        }

        int places(long tasks) {
            return (int) Math.min(Integer.MAX_VALUE, Math.ceilDiv(tasks, tasksPerWorker));
        }
    }

    public Decision decide(Input input) {
        final int replicas = input.workers().replicas();
        if (input.sample().isEmpty()) {
            return new Decision(replicas, Why.QueueUnavailable, 0, input.window());
        }
        final Limits limits = input.limits();
        final TaskQueue.Sample sample = input.sample().get();
        final int needed = limits.places(slots(sample, limits, input.serviceTime()));
        final int wanted = limits.clamp(needed);
        final DemandWindow window = input.window().add(input.now(), wanted, limits.stabilization());
        final Size size = wanted > replicas ? grow(input, wanted, needed) : keepOrShrink(input, window, wanted, needed);
        return new Decision(size.workers(), size.why(), sample.demand(), window);
    }

    private record Size(int workers, Why why) {}

    private static Size grow(Input input, int wanted, int needed) {
        final Workers workers = input.workers();
        final int replicas = workers.replicas();
        if (input.suspended()) {
            return new Size(replicas, Why.Suspended);
        }
        if (workers.unschedulable() > 0) {
            return new Size(replicas, Why.Unschedulable);
        }
        final int mayStart = Math.max(0, input.limits().maxStep().orElse(Integer.MAX_VALUE) - workers.starting());
        if (wanted - replicas > mayStart) {
            return new Size(replicas + mayStart, Why.StepLimit);
        }
        return new Size(wanted, needed > wanted ? Why.AtMaximum : Why.QueueGrew);
    }

    private static Size keepOrShrink(Input input, DemandWindow window, int wanted, int needed) {
        final Limits limits = input.limits();
        final int replicas = input.workers().replicas();
        if (wanted == replicas) {
            return new Size(replicas, needed > wanted ? Why.AtMaximum : Why.Steady);
        }
        final boolean tooMany = replicas > limits.cap();
        final boolean covered = window.covers(input.now(), limits.stabilization());
        // An uncovered window may have seen too little, so only the maximum binds.
        final int target = Math.min(covered ? window.most() : replicas, limits.cap());
        if (target >= replicas) {
            return new Size(replicas, Why.StabilizationWindow);
        }
        if (input.workers().rollingOut()) {
            return new Size(replicas, Why.RollingOut);
        }
        return new Size(target, tooMany ? Why.MaximumLowered : Why.QueueShrank);
    }

    /**
     * Tasks that must be run at once. With a target age the whole queue may take that long, so it needs the share
     * serviceTime / target of its length, and never less than what runs: the size of a busy pool stays until nothing waits.
     */
    private static long slots(TaskQueue.Sample sample, Limits limits, Optional<Duration> serviceTime) {
        if (limits.queueAgeTarget().isEmpty() || serviceTime.isEmpty()) {
            return sample.demand();
        }
        final double share = Math.min(
                1, seconds(serviceTime.get()) / seconds(limits.queueAgeTarget().get()));
        return Math.max(sample.running(), (long) Math.ceil(sample.demand() * share));
    }

    private static double seconds(Duration duration) {
        return duration.toNanos() / 1e9;
    }
}
