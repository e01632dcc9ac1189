package dev.codeforge.soak;

import dev.codeforge.wire.Subjects;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;

/** {@code Soak MINUTES SEED DIRECTORY}: exit code 0 when every promise was kept, 1 when one was broken. */
public final class Soak {
    private static final double TASKS_A_SECOND = 3.5;
    private static final Duration CONVERGENCE = Duration.ofMinutes(4);
    /** Longer than the operator's half-minute look at everything. */
    private static final Duration QUIET = Duration.ofSeconds(40);

    private final Platform platform;
    private final Observer observer;
    private final Load load;
    private final Tally tally = new Tally();
    private final Duration time;

    private Soak(Path directory, Duration time, long seed) throws Exception {
        this.time = time;
        this.platform = new Platform(directory);
        this.observer = new Observer(platform.client(), platform.namespace);
        this.load = new Load(platform, new Random(seed));
    }

    public static void main(String[] arguments) throws Exception {
        final Duration time = Duration.ofSeconds(Math.round(60 * Double.parseDouble(arguments[0])));
        final long seed = Long.parseLong(arguments[1]);
        final Path directory = Path.of(arguments[2]).toAbsolutePath();
        System.out.printf("soak of %s with seed %d, logs in %s%n", time, seed, directory);
        final Soak soak = new Soak(directory, time, seed);
        final boolean whole = soak.run(seed);
        soak.tally.put("seed", seed);
        soak.tally.print();
        soak.tally.write(directory.resolve("tally.json"));
        soak.platform.close();
        System.exit(whole ? 0 : 1);
    }

    private boolean run(long seed) throws Exception {
        final Random random = new Random(seed + 1);
        final Chaos chaos = new Chaos(new Faults(platform, random), random);
        final Thread progress = Thread.ofPlatform().daemon().start(this::tellProgress);
        load.run(time, TASKS_A_SECOND);
        chaos.end();
        final Instant over = Instant.now();
        System.out.println("no more faults and no more tasks: waiting for what is unfinished");
        final boolean converged = converge();
        final Duration convergence = Duration.between(over, Instant.now());
        progress.interrupt();
        final Instant quiet = Instant.now();
        if (converged) {
            System.out.println("all is settled: no more writes are expected");
            Patience.sleep(QUIET);
        }
        judge(quiet, convergence);
        return tally.isWhole();
    }

    private void tellProgress() {
        while (!Thread.interrupted()) {
            Patience.sleep(Duration.ofSeconds(15));
            final List<Task> tasks = load.tasks();
            System.out.printf(
                    "           %d tasks, %d unfinished, %d faults%n",
                    tasks.size(), unfinished().size(), platform.faults.entries().size());
        }
    }

    private List<Task> unfinished() {
        return load.tasks().stream()
                .filter(task -> task.kind().isResource() && !isDone(task))
                .toList();
    }

    private boolean isDone(Task task) {
        return task.kind() == Kind.DELETED ? observer.isGone(task.id()) : observer.isSettled(task.id());
    }

    private boolean converge() throws Exception {
        final Instant end = Instant.now().plus(CONVERGENCE);
        while (Instant.now().isBefore(end)) {
            if (unfinished().isEmpty() && standing().isEmpty()) {
                return true;
            }
            Patience.sleep(Duration.ofSeconds(1));
        }
        return false;
    }

    /** Messages that are left, by stream. */
    private List<String> standing() throws Exception {
        final List<String> standing = new ArrayList<>();
        for (final String pool : Stream.concat(Platform.POOLS.stream(), Stream.of(Platform.OUTSIDE_POOL))
                .toList()) {
            final String stream = Subjects.poolStream(platform.namespace, pool);
            final long count = Patience.until("reading " + stream, () -> platform.connection
                    .jetStreamManagement()
                    .getStreamInfo(stream)
                    .getStreamState()
                    .getMsgCount());
            if (count > 0) {
                standing.add(stream + " (" + count + " messages)");
            }
        }
        return standing;
    }

    private void judge(Instant quiet, Duration convergence) throws Exception {
        final List<Task> tasks = load.tasks();
        final List<Ledger.Run> runs = platform.ledger.runs();
        final Checks checks =
                new Checks(tasks, observer, new Events(platform.connection), runs, platform.faults.entries());
        final Writes writes = new Writes(platform.operators.writes());
        final Map<String, Integer> kinds = new TreeMap<>();
        final Map<String, Integer> ends = new TreeMap<>();
        for (final Task task : tasks) {
            kinds.merge(task.kind().name(), 1, Integer::sum);
            if (task.kind().isResource()) {
                ends.merge(
                        observer.isGone(task.id())
                                ? "gone"
                                : observer.phase(task.id()).map(Enum::name).orElse("no status"),
                        1,
                        Integer::sum);
            }
        }
        tally.put("tasks", tasks.size());
        tally.put("by kind", kinds);
        tally.put("AgentTasks ended", ends);
        tally.put("faults", platform.faults.entries().size());
        tally.put("by fault", platform.faults.counts());
        tally.put("operators that ended by themselves", platform.operators.ownEnds());
        tally.put("runs", runs.size());
        tally.put("runs above one an attempt", checks.repeats());
        tally.put("starts after the end, worker stopped", checks.lateStarts());
        tally.put("seconds to converge", convergence.toSeconds());
        tally.put("writes a task: median, p99, max", writes.perTask(tasks));
        tally.put("writes of Kubernetes Events", writes.count("/events"));
        tally.put("writes of pools", writes.count("/workerpools/"));
        tally.broken(checks.broken());
        tally.broken(Map.of("the streams are empty", standing(), "no writes once all is settled", writes.since(quiet)));
    }
}
