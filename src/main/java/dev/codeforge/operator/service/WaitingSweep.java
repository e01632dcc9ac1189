package dev.codeforge.operator.service;

import dev.codeforge.api.AgentTask;
import dev.codeforge.operator.index.TaskIndex;
import dev.codeforge.operator.sweep.Sweep;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers callers that no reconcile has answered: the task ended just before they registered, or while NATS was away,
 * or was deleted.
 */
final class WaitingSweep implements Sweep {
    private static final Logger LOG = LoggerFactory.getLogger(WaitingSweep.class);

    private final TaskIndex index;
    private final RequestedTasks tasks;
    private final WaitingReplies waiting;

    WaitingSweep(TaskIndex index, RequestedTasks tasks, WaitingReplies waiting) {
        this.index = index;
        this.tasks = tasks;
        this.waiting = waiting;
    }

    @Override
    public void run() {
        try {
            waiting.tasks().forEach(this::look);
        } catch (KubernetesClientException e) {
            LOG.debug("the API server is away, waiting requests are looked at later: {}", e.getMessage());
        }
        waiting.expire();
    }

    /** The cache may lag behind a new task, so only the API server can say that a task is gone. */
    private void look(AgentTask task) {
        final Optional<AgentTask> now = index.byUid(task.uid()).or(() -> tasks.find(
                        task.getMetadata().getNamespace(), task.getMetadata().getName())
                .filter(live -> live.uid().equals(task.uid())));
        now.ifPresentOrElse(
                found -> found.observedStatus().ifPresent(status -> waiting.status(found, status)),
                () -> waiting.gone(task));
    }
}
