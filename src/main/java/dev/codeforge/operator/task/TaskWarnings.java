package dev.codeforge.operator.task;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import dev.codeforge.operator.status.Conditions;
import dev.codeforge.operator.status.EventRecorder;
import dev.codeforge.operator.status.ReconcileError;
import dev.codeforge.operator.task.status.TaskConditions;
import java.util.List;

/** Events on a task. */
final class TaskWarnings {
    private final EventRecorder events;

    TaskWarnings(EventRecorder events) {
        this.events = events;
    }

    /** A failed run, one that was given back, and trouble with the status: once for each. */
    void record(AgentTask task, AgentTaskStatus status) {
        final AgentTaskStatus before = task.statusOrUnobserved();
        final boolean changed =
                status.phase() != before.phase() || !status.history().equals(before.history());
        final boolean failed = status.phase() == Phase.Failed || status.phase() == Phase.Retrying;
        if (failed && changed && status.error() != null) {
            events.warning(task, status.error().type(), "Run", status.error().message());
        }
        for (final String type : List.of(Conditions.STATUS_REFUSED, TaskConditions.RECONCILE_FAILED)) {
            Conditions.becameTrue(type, before.conditions(), status.conditions())
                    .ifPresent(said -> events.warning(task, said.getReason(), "Reconcile", said.getMessage()));
        }
        if (status.phase() == Phase.Queued && changed && !status.history().isEmpty()) {
            givenBack(task, status.history().getLast());
        }
    }

    private void givenBack(AgentTask task, AgentTaskStatus.HistoryEntry last) {
        if (last.outcome() == Phase.Queued && last.error() != null) {
            events.warning(task, last.error().type(), "Run", last.error().message());
        }
    }

    /** Of a status that cannot be written an Event is all that is left: one for the first of several tries. */
    void unwritten(AgentTask task, ReconcileError why, int failures) {
        if (failures == 0) {
            events.warning(task, why.reason().name(), "Reconcile", why.message());
        }
    }
}
