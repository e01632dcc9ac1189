package dev.codeforge.soak;

import dev.codeforge.soak.Ledger.Run;
import dev.codeforge.wire.TaskEvent;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** Compares what was left behind with what was promised. */
final class Checks {
    /** Between an agent's start and the note of it, and between two clocks' readings. */
    private static final Duration TOLERANCE = Duration.ofMillis(100);

    private final List<Task> tasks;
    private final Observer observer;
    private final Events events;
    private final Map<String, List<Run>> runs;
    private final List<FaultLog.Entry> faults;
    private final Map<String, List<String>> broken = new LinkedHashMap<>();
    private int repeats;
    private int lateStarts;

    Checks(List<Task> tasks, Observer observer, Events events, List<Run> runs, List<FaultLog.Entry> faults) {
        this.tasks = tasks;
        this.observer = observer;
        this.events = events;
        this.runs = runs.stream().collect(Collectors.groupingBy(Run::task));
        this.faults = faults;
        for (final String promise : List.of(
                "every task ended",
                "every task ended as it should",
                "who succeeded had run to its end",
                "nobody ran after its end",
                "every repeated run lost its worker",
                "a terminal status stays",
                "only known tasks ran")) {
            broken.put(promise, new ArrayList<>());
        }
        tasks.forEach(this::check);
        broken.get("a terminal status stays").addAll(observer.violations());
        final var known = tasks.stream().map(Task::id).collect(Collectors.toSet());
        this.runs.keySet().stream().filter(id -> !known.contains(id)).forEach(id -> broken.get("only known tasks ran")
                .add(id));
    }

    /** The names of the tasks by the promise that was broken to them; each promise is there. */
    Map<String, List<String>> broken() {
        return broken;
    }

    boolean isWhole() {
        return broken.values().stream().allMatch(List::isEmpty);
    }

    /** Runs above one an attempt, all of them explained unless a promise is broken. */
    int repeats() {
        return repeats;
    }

    /** Agents that began after the end of their attempt because their worker was stopped meanwhile. */
    int lateStarts() {
        return lateStarts;
    }

    void breach(String promise, String task) {
        broken.get(promise).add(task);
    }

    private void check(Task task) {
        checkEnd(task);
        runs.getOrDefault(task.id(), List.of()).stream()
                .collect(Collectors.groupingBy(Run::attempt))
                .values()
                .forEach(attempt -> checkAttempt(task, attempt));
    }

    private void checkEnd(Task task) {
        if (!task.kind().isResource()) {
            final Optional<TaskEvent> end =
                    events.of(task.id()).stream().filter(TaskEvent::isTerminal).findFirst();
            if (end.isEmpty()) {
                breach("every task ended", task.name());
            } else if (end.get().kind() == TaskEvent.Kind.COMPLETED) {
                checkRan(task, end.get().attempt());
            } else {
                breach(
                        "every task ended as it should",
                        task.name() + " (" + end.get().error() + ")");
            }
            return;
        }
        if (!observer.isSettled(task.id())) {
            breach(
                    "every task ended",
                    task.name() + " ("
                            + observer.phase(task.id()).map(Enum::name).orElse("no status") + ")");
            return;
        }
        if (task.kind() == Kind.DELETED) {
            if (!observer.isGone(task.id())) {
                breach("every task ended as it should", task.name() + " (not gone)");
            }
            return;
        }
        final var status = observer.status(task.id()).orElseThrow();
        if (!task.kind().ends().contains(status.phase())) {
            breach(
                    "every task ended as it should",
                    task.name() + " (" + status.phase()
                            + (status.error() == null
                                    ? ""
                                    : " " + status.error().type() + ": "
                                            + status.error().message())
                            + ")");
        }
        if (status.phase() == dev.codeforge.api.Phase.Succeeded) {
            checkRan(task, status.attempts());
        }
    }

    private void checkRan(Task task, int attempt) {
        final boolean ran = runs.getOrDefault(task.id(), List.of()).stream()
                .anyMatch(run -> run.attempt() == attempt && run.end().isPresent());
        if (!ran) {
            breach("who succeeded had run to its end", task.name());
        }
    }

    private void checkAttempt(Task task, List<Run> attempt) {
        for (int i = 1; i < attempt.size(); i++) {
            final Run again = attempt.get(i);
            final boolean explained = attempt.subList(0, i).stream()
                    .anyMatch(lost -> faults.stream().anyMatch(fault -> fault.explains(lost, again)));
            repeats++;
            if (!explained) {
                breach(
                        "every repeated run lost its worker",
                        task.name() + " (" + attempt.get(i - 1) + ", " + again + ")");
            }
        }
        final Optional<TaskEvent> end = events.end(task.id(), attempt.getFirst().attempt());
        for (final Run run : attempt) {
            if (end.isPresent() && run.start().isAfter(end.get().time().plus(TOLERANCE))) {
                if (faults.stream().anyMatch(fault -> fault.explains(run, run))) {
                    lateStarts++;
                } else {
                    breach(
                            "nobody ran after its end",
                            task.name() + " (" + run + " after " + end.get().time() + ")");
                }
            }
        }
    }
}
