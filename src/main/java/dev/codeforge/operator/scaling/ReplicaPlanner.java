package dev.codeforge.operator.scaling;

import dev.codeforge.jetstream.QueueSample;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * How many workers: up at once, down over a window and only while nobody is busy. Pure. The algorithm's terms: demand is
 * waiting plus running; a task that waits for redelivery counts as running.
 */
public final class ReplicaPlanner {

    /** Why the number is what it is. */
    public enum Why {
        Fixed("The pool does not scale."),
        QueueGrew("More tasks than workers."),
        Steady("As many as the queue needs."),
        AtMaximum("The queue needs more, but maxReplicas, or what the consumer lets run at once, is reached."),
        StabilizationWindow("Fewer would do, but not for long enough."),
        WorkersBusy("Fewer would do, but a worker is busy."),
        QueueShrank("Fewer were enough for the whole window."),
        QueueUnavailable("The queue cannot be read: the number stays."),
        Suspended("The pool is suspended: the number does not grow.");

        private final String meaning;

        Why(String meaning) {
            this.meaning = meaning;
        }

        public String meaning() {
            return meaning;
        }
    }

    public record Decision(int desired, Why why, long demand, DemandWindow window) {}

    /**
     * @param sample empty when the queue cannot be read
     * @param current replicas of the Deployment, or 0 without one
     */
    public record Input(
            Limits limits,
            Optional<QueueSample> sample,
            int current,
            boolean suspended,
            DemandWindow window,
            Instant now) {}

    /** @param maxAckPending tasks that the consumer lets run at once */
    public record Limits(int min, int max, int tasksPerWorker, int maxAckPending, Duration stabilization) {
        int cap() {
            return Math.min(max, ceil(maxAckPending, tasksPerWorker));
        }
    }

    public Decision decide(Input input) {
        if (input.sample().isEmpty()) {
            return new Decision(input.current(), Why.QueueUnavailable, 0, input.window());
        }
        final Limits limits = input.limits();
        final QueueSample sample = input.sample().get();
        final long needed = ceil(sample.demand(), limits.tasksPerWorker());
        final int wanted = (int) Math.max(limits.min(), Math.min(limits.cap(), needed));
        final DemandWindow window = input.window().add(input.now(), wanted, limits.stabilization());
        if (wanted > input.current()) {
            return input.suspended()
                    ? new Decision(input.current(), Why.Suspended, sample.demand(), window)
                    : new Decision(
                            wanted, needed > limits.cap() ? Why.AtMaximum : Why.QueueGrew, sample.demand(), window);
        }
        if (wanted == input.current()) {
            return new Decision(wanted, needed > limits.cap() ? Why.AtMaximum : Why.Steady, sample.demand(), window);
        }
        final int target = window.most();
        if (!window.covers(input.now(), limits.stabilization()) || target >= input.current()) {
            return new Decision(input.current(), Why.StabilizationWindow, sample.demand(), window);
        }
        return sample.running() > 0
                ? new Decision(input.current(), Why.WorkersBusy, sample.demand(), window)
                : new Decision(target, Why.QueueShrank, sample.demand(), window);
    }

    private static int ceil(long amount, int size) {
        return (int) Math.min(Integer.MAX_VALUE, (amount + size - 1) / size);
    }
}
