package dev.codeforge.soak;

import dev.codeforge.soak.Ledger.Run;
import dev.codeforge.wire.TaskEvent;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Whether every run was due. */
final class RunCheck {
    /** Between an agent's start and the note of it, and between two clocks' readings. */
    private static final Duration TOLERANCE = Duration.ofMillis(100);

    private final Runs runs;
    private final Events events;
    private final List<FaultLog.Entry> faults;
    private final Breaches breaches;
    private int repeats;
    private int lateStarts;

    RunCheck(Runs runs, Events events, List<FaultLog.Entry> faults, Breaches breaches) {
        this.runs = runs;
        this.events = events;
        this.faults = faults;
        this.breaches = breaches;
    }

    void check(List<Task> tasks) {
        for (final Task task : tasks) {
            final List<Run> all = runs.of(task);
            if (task.kind() == Kind.AT_MOST_ONCE && all.size() > 1) {
                breaches.add(Promise.AT_MOST_ONCE, task.name() + " " + all);
            }
            all.stream()
                    .collect(Collectors.groupingBy(Run::attempt))
                    .values()
                    .forEach(attempt -> checkAttempt(task, attempt));
        }
        runs.byKey().forEach((key, same) -> {
            if (same.stream().filter(task -> !runs.of(task).isEmpty()).count() > 1) {
                breaches.add(Promise.KEY_PAID_ONCE, key);
            }
        });
        final Set<String> unknown = runs.ids();
        tasks.forEach(task -> unknown.remove(task.id()));
        breaches.addAll(Promise.ONLY_KNOWN, unknown);
    }

    private void checkAttempt(Task task, List<Run> attempt) {
        for (int i = 1; i < attempt.size(); i++) {
            final Run again = attempt.get(i);
            repeats++;
            if (attempt.subList(0, i).stream().noneMatch(lost -> isExplained(lost, again))) {
                breaches.add(
                        Promise.REPEATS_EXPLAINED, task.name() + " (" + attempt.get(i - 1) + ", then " + again + ")");
            }
        }
        final Optional<TaskEvent> end = events.end(task.id(), attempt.getFirst().attempt());
        for (final Run run : attempt) {
            if (end.isPresent() && run.start().isAfter(end.get().time().plus(TOLERANCE))) {
                if (isExplained(run, run)) {
                    lateStarts++;
                } else {
                    breaches.add(
                            Promise.NOT_AFTER_END,
                            task.name() + " (" + run + " after " + end.get().time() + ")");
                }
            }
        }
    }

    private boolean isExplained(Run lost, Run again) {
        return faults.stream().anyMatch(fault -> fault.explains(lost, again));
    }

    /** Runs above one an attempt, each of them explained unless its promise is broken. */
    int repeats() {
        return repeats;
    }

    /** Agents that began after the end of their attempt, because their worker was stopped before that. */
    int lateStarts() {
        return lateStarts;
    }
}
