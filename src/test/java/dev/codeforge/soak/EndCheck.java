package dev.codeforge.soak;

import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import dev.codeforge.operator.status.Conditions;
import dev.codeforge.wire.TaskEvent;
import java.util.List;
import java.util.Optional;

/** Whether each task ended, and as its kind must. */
final class EndCheck {
    private final Observer observer;
    private final Events events;
    private final Runs runs;
    private final FaultLog faults;
    private final Breaches breaches;

    EndCheck(Observer observer, Events events, Runs runs, FaultLog faults, Breaches breaches) {
        this.observer = observer;
        this.events = events;
        this.runs = runs;
        this.faults = faults;
        this.breaches = breaches;
    }

    void check(List<Task> tasks) {
        for (final Task task : tasks) {
            if (!task.kind().isResource()) {
                checkEvents(task);
            } else if (task.kind().isToBeGone()) {
                checkGone(task);
            } else {
                checkStatus(task);
            }
        }
        breaches.addAll(Promise.TERMINAL_STAYS, observer.violations());
    }

    /** A task without a resource, or whose resource is gone: its last event is what is left. */
    private void checkEvents(Task task) {
        final Optional<TaskEvent> end =
                // Of the last attempt: one that a fault had failed was followed by another.
                events.of(task.id()).stream().filter(TaskEvent::isTerminal).reduce((first, last) -> last);
        if (end.isEmpty()) {
            breaches.add(Promise.ENDED, task.name() + " (no terminal event)");
        } else if (end.get().kind() != TaskEvent.Kind.COMPLETED) {
            breaches.add(Promise.ENDED_RIGHTLY, task.name() + " (" + end.get().error() + ")");
        } else if (!runs.ended(task, end.get().attempt())) {
            breaches.add(Promise.RAN, task.name());
        }
    }

    /** Attempts that failed for what was done to their workers. */
    long spoiled(List<Task> tasks) {
        return tasks.stream()
                .flatMap(task -> observer.status(task.id()).stream())
                .flatMap(status -> status.history().stream())
                .filter(this::isSpoiled)
                .count();
    }

    private boolean isSpoiled(AgentTaskStatus.HistoryEntry entry) {
        return entry.outcome() == Phase.Failed
                && entry.podName() != null
                && entry.startTime() != null
                && faults.explainsFailure(entry.podName(), entry.startTime(), entry.completionTime());
    }

    private void checkGone(Task task) {
        if (!observer.isGone(task.id())) {
            breaches.add(Promise.ENDED, task.name() + " (not gone)");
        } else if (task.kind() == Kind.SHORT_LIVED) {
            checkEvents(task);
        }
    }

    private void checkStatus(Task task) {
        final Optional<AgentTaskStatus> status = observer.status(task.id());
        if (observer.isGone(task.id()) || !observer.isSettled(task)) {
            breaches.add(
                    Promise.ENDED,
                    task.name() + " (" + observer.end(task) + ", "
                            + status.flatMap(last -> Conditions.find(last.conditions(), "Ready"))
                                    .map(ready -> ready.getReason() + ": " + ready.getMessage())
                                    .orElse("no condition")
                            + ")");
            return;
        }
        final AgentTaskStatus end = status.orElseThrow();
        final boolean rightly = task.kind().ends().contains(end.phase())
                && (end.phase() != Phase.Failed
                        || task.kind().failures().contains(end.error().type())
                        || isSpoiled(end.history().getLast()));
        if (!rightly) {
            final String why = end.error() == null
                    ? ""
                    : " " + end.error().type() + ": " + end.error().message();
            breaches.add(Promise.ENDED_RIGHTLY, task.name() + " (" + end.phase() + why + ")");
        }
        final int due = task.kind().attempts();
        final long spoiled = end.history().stream().filter(this::isSpoiled).count();
        if (due > 0 && (end.attempts() < due || end.attempts() > due + spoiled)) {
            breaches.add(Promise.ATTEMPTS, task.name() + " (" + end.attempts() + ", " + end.history() + ")");
        }
        if (end.phase() == Phase.Succeeded && !runs.ended(task, end.attempts())) {
            breaches.add(Promise.RAN, task.name());
        }
    }
}
