package dev.codeforge.operator.task;

import dev.codeforge.api.AgentTask;
import dev.codeforge.operator.index.TaskIndex;
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

    /** A pool's queue has room for so many tasks, as far as is known. */
    void offerRoom(ResourceID pool, int most) {
        backlog.offer(pool, most).forEach(next -> trigger(ResourceID.fromResource(next)));
    }

    /** The oldest task of each backlog tries once more: room may have come unannounced. */
    void retryBacklogs() {
        Backlog.firsts(tasks.unfinished()).forEach(this::trigger);
    }
}
