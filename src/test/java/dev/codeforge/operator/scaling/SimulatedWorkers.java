package dev.codeforge.operator.scaling;

import dev.codeforge.operator.scaling.ScaleDownPlanner.WorkerView;
import dev.codeforge.operator.scaling.SimulatedQueue.Message;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;

/**
 * A Deployment with its pods, which the ReplicaSet chooses as badly as its rules let it: of those that compare equal, a
 * busy one goes first. A pod that is deleted is gone at once, and its tasks are lost.
 */
final class SimulatedWorkers {
    private static final Duration LEASE = Duration.ofSeconds(60);

    private static final class Pod {
        final String name;
        final long created;
        final List<Message> tasks = new ArrayList<>();
        boolean scheduled;
        boolean ready;
        boolean costed;
        boolean spent;
        long drainedUntil;
        long idleSince;
        int life;

        Pod(String name, long now) {
            this.name = name;
            this.created = now;
        }
    }

    private final SimulatedTime time;
    private final int tasksPerWorker;
    private final boolean workerPerTask;
    private final Duration start;
    private final int room;
    private final Runnable onChange;
    private final Random random = new Random(1);
    private final List<Pod> pods = new ArrayList<>();
    private int replicas;
    private int made;
    private ServiceTime serviceTime;

    int busyKills;
    long podMillis;
    long idleMillis;

    /**
     * @param start from a node to ready
     * @param room pods that fit on the nodes
     */
    SimulatedWorkers(
            SimulatedTime time,
            int tasksPerWorker,
            boolean workerPerTask,
            Duration start,
            int room,
            ServiceTime serviceTime,
            Runnable onChange) {
        this.time = time;
        this.tasksPerWorker = tasksPerWorker;
        this.workerPerTask = workerPerTask;
        this.start = start;
        this.room = room;
        this.serviceTime = serviceTime;
        this.onChange = onChange;
    }

    void pass(long millis) {
        podMillis += millis * pods.size();
        idleMillis += millis * pods.stream().filter(pod -> pod.tasks.isEmpty()).count();
    }

    void scale(int wanted, SimulatedQueue queue) {
        replicas = wanted;
        while (pods.size() < wanted) {
            pods.add(new Pod("w" + made++, time.now()));
        }
        final Comparator<Pod> choice = Comparator.comparing((Pod pod) -> pod.scheduled)
                .thenComparing(pod -> pod.ready)
                .thenComparing(pod -> !pod.costed)
                .thenComparing(pod -> pod.tasks.isEmpty());
        for (final Pod pod :
                pods.stream().sorted(choice).limit(pods.size() - wanted).toList()) {
            busyKills += pod.tasks.isEmpty() ? 0 : 1;
            crash(pod, queue);
            pods.remove(pod);
        }
        schedule(queue);
    }

    /** Those that have had their one task are deleted, and others made. */
    void replaceSpent(SimulatedQueue queue) {
        pods.removeIf(pod -> pod.spent && pod.tasks.isEmpty());
        scale(replicas, queue);
    }

    private void schedule(SimulatedQueue queue) {
        final long free = room - pods.stream().filter(pod -> pod.scheduled).count();
        pods.stream().filter(pod -> !pod.scheduled).limit(Math.max(0, free)).forEach(pod -> {
            pod.scheduled = true;
            start(pod, queue);
        });
    }

    private void start(Pod pod, SimulatedQueue queue) {
        final int life = pod.life;
        time.in(start, () -> {
            if (pod.life == life && pods.contains(pod)) {
                pod.ready = true;
                pod.idleSince = time.now();
                work(queue);
                onChange.run();
            }
        });
    }

    /** Hands out what waits, to whoever asked first. */
    void work(SimulatedQueue queue) {
        while (true) {
            final Optional<Pod> next =
                    pods.stream().filter(this::pulls).min(Comparator.comparingLong(pod -> pod.idleSince));
            final Optional<Message> message = next.flatMap(pod -> queue.take());
            if (message.isEmpty()) {
                return;
            }
            run(next.orElseThrow(), message.get(), queue);
        }
    }

    private boolean pulls(Pod pod) {
        return pod.ready && !pod.spent && pod.tasks.size() < tasksPerWorker && pod.drainedUntil <= time.now();
    }

    private void run(Pod pod, Message message, SimulatedQueue queue) {
        pod.tasks.add(message);
        pod.spent = workerPerTask;
        final int life = pod.life;
        time.in(message.task.runs(), () -> {
            if (pod.life != life) {
                return;
            }
            switch (message.task.fate()) {
                case SUCCEEDS -> leave(pod, message, () -> queue.ack(message));
                case NAKS ->
                    leave(pod, message, () -> {
                        if (message.deliveries < SimulatedQueue.MAX_DELIVERIES) {
                            queue.nak(message);
                        } else {
                            queue.ack(message);
                        }
                    });
                case KILLS -> {
                    crash(pod, queue);
                    start(pod, queue);
                }
            }
            work(queue);
        });
    }

    private void leave(Pod pod, Message message, Runnable answer) {
        pod.tasks.remove(message);
        pod.idleSince = time.now();
        serviceTime = new ServiceTime(Stream.concat(serviceTime.finished().stream(), Stream.of(message.task.runs()))
                .toList());
        answer.run();
    }

    private void crash(Pod pod, SimulatedQueue queue) {
        pod.life++;
        pod.ready = false;
        pod.tasks.forEach(queue::lose);
        pod.tasks.clear();
    }

    /** Asks a worker to drain: the answer, or nothing from one that does not run. */
    boolean drain(String name, double lost, SimulatedQueue queue) {
        final Optional<Pod> pod = pods.stream()
                .filter(each -> each.name.equals(name) && each.ready && each.tasks.isEmpty())
                .findFirst();
        if (pod.isEmpty() || random.nextDouble() < lost) {
            return false;
        }
        pod.get().drainedUntil = time.now() + LEASE.toMillis();
        time.in(LEASE, () -> work(queue));
        return random.nextDouble() >= lost;
    }

    /** Those of all others are taken back. */
    void cost(Collection<String> names) {
        pods.forEach(pod -> pod.costed = names.contains(pod.name));
    }

    void resumeAllBut(Collection<String> names, SimulatedQueue queue) {
        pods.stream().filter(pod -> !names.contains(pod.name)).forEach(pod -> {
            pod.costed = false;
            pod.drainedUntil = 0;
        });
        work(queue);
    }

    List<WorkerView> views() {
        return pods.stream()
                .map(pod -> new WorkerView(
                        pod.name,
                        pod.ready,
                        pod.ready && pod.tasks.isEmpty()
                                ? Optional.of(Duration.ofMillis(time.now() - pod.idleSince))
                                : Optional.empty(),
                        time.instant().minusMillis(time.now() - pod.created),
                        pod.spent && pod.tasks.isEmpty()))
                .toList();
    }

    Workers seen() {
        return new Workers(
                replicas,
                (int) pods.stream().filter(pod -> pod.ready).count(),
                (int) pods.stream().filter(pod -> !pod.scheduled).count(),
                false);
    }

    int busy() {
        return (int) pods.stream().filter(pod -> !pod.tasks.isEmpty()).count();
    }

    Optional<Duration> serviceTime() {
        return serviceTime.estimate(pods.stream()
                .flatMap(pod -> pod.tasks.stream())
                .map(message -> Duration.ofMillis(time.now() - message.lastStart))
                .toList());
    }
}
