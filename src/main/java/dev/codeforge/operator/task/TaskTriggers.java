package dev.codeforge.operator.task;

import dev.codeforge.api.AgentTask;
import dev.codeforge.operator.index.TaskIndex;
import dev.codeforge.operator.task.admission.Backlog;
import dev.codeforge.operator.task.status.StatusTransition;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.inbound.SimpleInboundEventSource;

/** Triggers reconciles of tasks for what neither Kubernetes nor their results report. */
final class TaskTriggers {
    private final TaskIndex tasks;
    private final Backlog backlog;
    private final SimpleInboundEventSource<AgentTask> source = new SimpleInboundEventSource<>("triggers");

    TaskTriggers(TaskIndex tasks, Backlog backlog) {
        this.tasks = tasks;
        this.backlog = backlog;
    }

    SimpleInboundEventSource<AgentTask> source() {
        return source;
    }

    void trigger(ResourceID task) {
        source.propagateEvent(task);
    }

    /** Also a task that waits for room tries to publish then. */
    void trigger(AgentTask task) {
        backlog.offer(task);
        trigger(ResourceID.fromResource(task));
    }

    /** A message leaves a pool's queue: the next task may publish. */
    void offerRoom(ResourceID pool) {
        backlog.offer(pool, 1).forEach(next -> trigger(ResourceID.fromResource(next)));
    }

    /** Whether a task has found room decides which task publishes next. */
    void published(AgentTask task, StatusTransition transition) {
        backlog.tried(task, transition).forEach(next -> trigger(ResourceID.fromResource(next)));
    }

    /** The oldest task of each backlog tries once more: room may have come unannounced. */
    void retryBacklogs() {
        Backlog.firsts(tasks.unfinished()).forEach(this::trigger);
    }
}
