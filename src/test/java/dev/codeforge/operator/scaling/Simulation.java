package dev.codeforge.operator.scaling;

import dev.codeforge.operator.scaling.ReplicaPlanner.Limits;
import dev.codeforge.operator.scaling.SimulatedOperator.Look;
import dev.codeforge.operator.scaling.SimulatedOperator.Scale;
import dev.codeforge.operator.scaling.SimulatedQueue.Message;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** A pool in virtual time: a queue, its workers, and the real planners. */
record Simulation(
        Limits limits,
        Duration podStart,
        int room,
        double lostAnswers,
        boolean outside,
        ServiceTime known,
        List<Fault> faults,
        boolean workerPerTask) {

    /** Something that happens to the pool besides its tasks, at a millisecond. */
    sealed interface Fault {
        record Outage(long from, long until) implements Fault {}

        record OperatorRestart(long at) implements Fault {}

        record MaximumSet(long at, int max) implements Fault {}
    }

    /** @param end milliseconds that were simulated */
    record Outcome(
            List<Look> looks,
            List<Scale> scales,
            List<Message> messages,
            int busyKills,
            Duration podTime,
            Duration idleTime,
            long end) {}

    static Simulation upTo(int max) {
        return new Simulation(
                new Limits(0, max, 1, 1000, Duration.ofSeconds(60), Optional.empty(), OptionalInt.empty()),
                Duration.ofSeconds(2),
                1000,
                0,
                false,
                new ServiceTime(List.of()),
                List.of(),
                false);
    }

    Simulation with(Limits changed) {
        return new Simulation(changed, podStart, room, lostAnswers, outside, known, faults, workerPerTask);
    }

    /** Messages that the operator learns of by its tick only. */
    Simulation ofOutsideMessages() {
        return new Simulation(limits, podStart, room, lostAnswers, true, known, faults, workerPerTask);
    }

    /** Each worker takes one task. */
    Simulation withAWorkerPerTask() {
        return new Simulation(limits, podStart, room, lostAnswers, outside, known, faults, true);
    }

    Simulation knowing(ServiceTime time) {
        return new Simulation(limits, podStart, room, lostAnswers, outside, time, faults, workerPerTask);
    }

    Simulation with(double answersLost, int podsThatFit, List<Fault> happening) {
        return new Simulation(limits, podStart, podsThatFit, answersLost, outside, known, happening, workerPerTask);
    }

    /** @param quiet how long to go on after the last event of the load */
    Outcome run(Load load, Duration quiet) {
        final SimulatedTime time = new SimulatedTime();
        final World world = new World(time);
        load.tasks().forEach(task -> time.at(task.at(), () -> world.queue.publish(task)));
        faults.forEach(world::plan);
        world.operator.tick();
        long end = 0;
        do {
            end += 1000;
            time.runUntil(end, world.workers::pass);
        } while (world.isUnfinished(load));
        end += quiet.toMillis();
        time.runUntil(end, world.workers::pass);
        return new Outcome(
                List.copyOf(world.operator.looks),
                List.copyOf(world.operator.scales),
                List.copyOf(world.queue.messages()),
                world.workers.busyKills,
                Duration.ofMillis(world.workers.podMillis),
                Duration.ofMillis(world.workers.idleMillis),
                end);
    }

    private final class World {
        private static final long LONGEST = Duration.ofHours(4).toMillis();
        private final SimulatedTime time;
        private final SimulatedQueue queue;
        private final SimulatedWorkers workers;
        private final SimulatedOperator operator;

        World(SimulatedTime time) {
            this.time = time;
            this.queue = new SimulatedQueue(time, limits.maxAckPending(), this::queueChanged);
            this.workers = new SimulatedWorkers(
                    time, limits.tasksPerWorker(), workerPerTask, podStart, room, known, this::podChanged);
            this.operator = new SimulatedOperator(time, queue, workers, limits, lostAnswers);
        }

        private void queueChanged() {
            workers.work(queue);
            if (!outside) {
                operator.wake();
            }
        }

        private void podChanged() {
            operator.wake();
        }

        private void plan(Fault fault) {
            switch (fault) {
                case Fault.Outage outage -> {
                    time.at(outage.from(), queue::goDown);
                    time.at(outage.until(), queue::comeBack);
                }
                case Fault.OperatorRestart restart -> time.at(restart.at(), operator::restart);
                case Fault.MaximumSet set ->
                    time.at(
                            set.at(),
                            () -> operator.change(new Limits(
                                    Math.min(limits.min(), set.max()),
                                    set.max(),
                                    limits.tasksPerWorker(),
                                    limits.maxAckPending(),
                                    limits.stabilization(),
                                    limits.queueAgeTarget(),
                                    limits.maxStep())));
            }
        }

        private boolean isUnfinished(Load load) {
            if (time.now() > LONGEST) {
                throw new AssertionError("Not done within hours: " + load.name());
            }
            return queue.messages().size() < load.tasks().size()
                    || queue.messages().stream().anyMatch(message -> message.ended.isEmpty());
        }
    }
}
