package dev.codeforge.operator.task;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.operator.index.TaskIndex;
import dev.codeforge.operator.scaling.ScaleUpBarrier;
import dev.codeforge.operator.task.admission.SessionOrder;
import dev.codeforge.operator.task.admission.SessionTasks;
import dev.codeforge.operator.task.status.StatusTransition;
import dev.codeforge.operator.tracing.Tracing;
import io.javaoperatorsdk.operator.api.reconciler.IndexedResourceCache;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import java.time.Instant;
import java.util.function.Consumer;

/** Passes on what a reconcile has changed: to the task's pool, to the tasks that wait for it, to its requester, its trace and its Events. */
final class TaskAnnouncer {
    private final TaskIndex tasks;
    private final TaskTriggers triggers;
    private final Consumer<ResourceID> onQueueChange;
    private final ScaleUpBarrier scaleUps;
    private final Permits permits;
    private final TaskListener listener;
    private final Tracing tracing;
    private final TaskWarnings warnings;

    TaskAnnouncer(
            TaskIndex tasks,
            TaskTriggers triggers,
            Consumer<ResourceID> onQueueChange,
            ScaleUpBarrier scaleUps,
            Permits permits,
            TaskListener listener,
            Tracing tracing,
            TaskWarnings warnings) {
        this.tasks = tasks;
        this.triggers = triggers;
        this.onQueueChange = onQueueChange;
        this.scaleUps = scaleUps;
        this.permits = permits;
        this.listener = listener;
        this.tracing = tracing;
        this.warnings = warnings;
    }

    /** Before the status is written: the pool may have to start a worker for the task. */
    void queueChanged(AgentTask task, TaskPlan plan, StatusTransition transition) {
        final ResourceID pool = TaskIndex.poolOf(task);
        if (plan instanceof TaskPlan.Publish && transition instanceof StatusTransition.Queued) {
            scaleUps.want(pool);
            onQueueChange.accept(pool);
            permits.without(() -> {
                scaleUps.awaitRest(pool);
                return pool;
            });
        } else if (transition.endsTheTask() || transition instanceof StatusTransition.Suspended) {
            onQueueChange.accept(pool);
            // Its message has left the queue, or is about to.
            triggers.offerRoom(pool);
        }
    }

    /** @param begun when the write of the status began */
    void stored(
            AgentTask task,
            StatusTransition transition,
            AgentTaskStatus status,
            Instant begun,
            IndexedResourceCache<AgentTask> cache) {
        passKey(task, transition);
        if (transition.endsTheTask() || transition instanceof StatusTransition.Adopted) {
            passTurn(task, cache);
        }
        listener.status(task, status);
        if (status.isTerminal() && !task.statusOrUnobserved().isTerminal()) {
            tracing.ended(task, status, begun);
        }
        warnings.record(task, status);
    }

    void gone(AgentTask task, StatusTransition transition, IndexedResourceCache<AgentTask> cache) {
        passKey(task, transition);
        passTurn(task, cache);
        listener.gone(task);
    }

    /** A duplicate waits for the end of the first one. */
    private void passKey(AgentTask task, StatusTransition transition) {
        if (transition.endsTheTask()) {
            tasks.withKeyOf(task).stream().filter(other -> !other.isFinished()).forEach(triggers::trigger);
        }
    }

    private void passTurn(AgentTask task, IndexedResourceCache<AgentTask> cache) {
        SessionOrder.after(task, SessionTasks.of(task, cache)).forEach(triggers::trigger);
    }
}
