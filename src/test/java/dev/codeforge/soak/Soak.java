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
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** {@code Soak MINUTES|--tasks=COUNT SEED DIRECTORY}: exit code 0 when every promise was kept, 1 when one was broken. */
public final class Soak {
    private static final String TASKS = "--tasks=";
    private static final Duration CONVERGENCE = Duration.ofMinutes(4);
    /** Longer than the operator's half-minute look at everything. */
    private static final Duration QUIET = Duration.ofSeconds(40);

    private final Platform platform;
    private final Observer observer;
    private final Load load;
    private final Breaches breaches = new Breaches();
    private final Tally tally = new Tally(breaches);
    private final Extent extent;
    private final Path directory;

    /**
     * @param inRepository the tasks work in repositories and push, with faults at the edges
     * @param mostAtOnce more unfinished ones would wait for the machine, not for what is tested
     */
    private record Extent(long tasks, double aSecond, boolean inRepository, int mostAtOnce) {
        private static final double LIGHT_ONES = 3.5;

        static Extent of(String argument) {
            return argument.startsWith(TASKS)
                    ? new Extent(Long.parseLong(argument.substring(TASKS.length())), 1, true, 40)
                    : new Extent(
                            Math.round(60 * Double.parseDouble(argument) * LIGHT_ONES),
                            LIGHT_ONES,
                            false,
                            Integer.MAX_VALUE);
        }
    }

    private Soak(Path directory, Extent extent, long seed) throws Exception {
        this.extent = extent;
        this.directory = directory;
        this.platform = new Platform(directory, extent.inRepository());
        this.observer = new Observer(platform.client(), platform.namespace);
        this.load = new Load(platform, new Random(seed), new Random(seed + 2));
    }

    public static void main(String[] arguments) {
        final Extent extent = Extent.of(arguments[0]);
        final long seed = Long.parseLong(arguments[1]);
        final Path directory = Path.of(arguments[2]).toAbsolutePath();
        System.out.printf("soak of %s with seed %d, logs in %s%n", extent, seed, directory);
        boolean whole = false;
        try {
            final Soak soak = new Soak(directory, extent, seed);
            whole = soak.run(seed);
            soak.tally.put("seed", seed);
            soak.tally.print();
            soak.tally.write(directory.resolve("tally.json"));
        } catch (Exception e) {
            System.out.println("the soak could not be run to its end and says nothing about the promises:");
            e.printStackTrace(System.out);
        }
        // Also ends the threads that go on after a failure.
        System.exit(whole ? 0 : 1);
    }

    private boolean run(long seed) throws Exception {
        final Random random = new Random(seed + 1);
        final Faults faults = Faults.ofParts(platform, random);
        final List<Chaos> chaos = new ArrayList<>(List.of(new Chaos(faults, random)));
        if (extent.inRepository()) {
            // At the same time as the others.
            final Random ofEdges = new Random(seed + 3);
            chaos.add(new Chaos(Faults.atTheEdges(platform, ofEdges), ofEdges));
        }
        final Thread progress = Thread.ofPlatform().daemon().start(this::tellProgress);
        load.run(
                extent.tasks(),
                extent.aSecond(),
                () -> extent.mostAtOnce() == Integer.MAX_VALUE || unfinished().size() < extent.mostAtOnce());
        for (final Chaos one : chaos) {
            one.end();
        }
        final Instant over = Instant.now();
        System.out.println("no more faults and no more tasks: waiting for what is unfinished");
        converge();
        final List<Task> stuck = unfinished();
        final Duration convergence = Duration.between(over, Instant.now());
        progress.interrupt();
        System.out.printf("no write is expected for %d s%n", QUIET.toSeconds());
        awaitQuiet();
        judge(convergence);
        tally.put("stuck", stuck.size());
        tally.put("lost", breaches.found().get(Promise.ENDED).size());
        tally.put(
                "paid twice",
                Stream.of(
                                Promise.REPEATS_EXPLAINED,
                                Promise.NOT_AFTER_END,
                                Promise.AT_MOST_ONCE,
                                Promise.KEY_PAID_ONCE,
                                Promise.WORK_ONCE)
                        .mapToInt(promise -> breaches.found().get(promise).size())
                        .sum());
        tally.put("messages lost with their stream", faults.lost());
        return breaches.isEmpty();
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
        return task.kind().isToBeGone() ? observer.isGone(task.id()) : observer.isSettled(task);
    }

    /** What is not settled in time the checks tell; the resources are kept for whoever looks for the cause. */
    private void converge() throws Exception {
        final Instant end = Instant.now().plus(CONVERGENCE);
        while (!(unfinished().isEmpty() && standing().isEmpty())) {
            if (Instant.now().isAfter(end)) {
                observer.dump(unfinished(), directory.resolve("unfinished.yaml"));
                return;
            }
            unfinished().forEach(observer::lookFor);
            Patience.sleep(Duration.ofSeconds(1));
        }
    }

    /** Coalesced writes may come a little later; writes that never end are a breach. */
    private void awaitQuiet() {
        final Instant end = Instant.now().plus(CONVERGENCE);
        List<String> lately;
        do {
            Patience.sleep(Duration.ofSeconds(1));
            lately = new Writes(platform.operators.writes()).since(Instant.now().minus(QUIET));
        } while (!lately.isEmpty() && Instant.now().isBefore(end));
        breaches.addAll(Promise.QUIET, lately);
    }

    /** Messages that are left, by stream. */
    private List<String> standing() throws Exception {
        final List<String> standing = new ArrayList<>();
        for (final String pool : Platform.ALL_POOLS) {
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

    private void judge(Duration convergence) throws Exception {
        final List<Task> tasks = load.tasks();
        final List<Ledger.Run> all = platform.ledger.runs();
        final Runs runs = new Runs(tasks, all);
        final Events events = Events.stored(platform.connection);
        final FaultLog faults = platform.faults;
        final EndCheck endCheck = new EndCheck(observer, events, runs, faults, breaches);
        endCheck.check(tasks);
        platform.remote.ifPresent(there -> {
            final List<Remote.Branch> branches = there.branches();
            new RemoteCheck(branches, runs, breaches).check(tasks, task -> observer.status(task.id()));
            tally.put("branches with work", branches.size());
        });
        final RunCheck runCheck = new RunCheck(
                runs,
                events,
                Stream.concat(faults.entries().stream(), faults.ownEnds().stream())
                        .toList(),
                breaches);
        runCheck.check(tasks);
        final Writes writes = new Writes(platform.operators.writes());
        breaches.addAll(Promise.STREAMS_EMPTY, standing());

        tally.put("tasks", tasks.size());
        tally.put("tasks by kind", count(tasks.stream().map(task -> task.kind().name())));
        tally.put(
                "AgentTasks by end",
                count(tasks.stream().filter(task -> task.kind().isResource()).map(observer::end)));
        tally.put("faults", faults.entries().size());
        tally.put("faults by kind", count(faults.entries().stream().map(FaultLog.Entry::fault)));
        tally.put("operators that ended by themselves", platform.operators.ownEnds());
        tally.put("workers that ended by themselves", faults.ownEnds().size());
        tally.put("attempts that failed for a fault at the edge", endCheck.spoiled(tasks));
        tally.put("runs", all.size());
        tally.put("runs above one an attempt", runCheck.repeats());
        tally.put("starts after the end, their worker stopped", runCheck.lateStarts());
        tally.put("seconds to converge", convergence.toSeconds());
        tally.put("writes a task: median, p99, most", writes.perTask(tasks));
        tally.put(
                "writes a task by kind: median, p99, most",
                tasks.stream()
                        .filter(task -> task.kind().isResource())
                        .collect(Collectors.groupingBy(
                                task -> task.kind().name(),
                                TreeMap::new,
                                Collectors.collectingAndThen(Collectors.toList(), writes::perTask))));
        tally.put("writes of Events a task", writes.count("/events") / (double) tasks.size());
        tally.put("writes of pools", writes.count("/workerpools/"));
    }

    private static Map<String, Long> count(Stream<String> words) {
        return words.collect(Collectors.groupingBy(word -> word, TreeMap::new, Collectors.counting()));
    }
}
