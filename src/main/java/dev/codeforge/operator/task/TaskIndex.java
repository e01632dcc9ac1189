package dev.codeforge.operator.task;

import dev.codeforge.api.AgentTask;
import dev.codeforge.operator.framework.PoolKey;
import dev.codeforge.wire.TaskRef;
import io.javaoperatorsdk.operator.api.reconciler.IndexedResourceCache;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** The tasks in the cache, found by what other parts know of them. */
public final class TaskIndex {
    /** In the order of their creation, which Kubernetes gives in whole seconds, then of their names. */
    static final Comparator<AgentTask> OLDEST_FIRST = Comparator.comparing(
                    (AgentTask task) -> task.getMetadata().getCreationTimestamp())
            .thenComparing(task -> task.getMetadata().getName());

    private final IndexedResourceCache<AgentTask> cache;

    public TaskIndex(IndexedResourceCache<AgentTask> cache) {
        this.cache = cache;
    }

    /** The task as the subjects of its runs name it. */
    public static TaskRef ref(AgentTask task) {
        return new TaskRef(
                task.getMetadata().getNamespace(),
                task.getSpec().workerPoolRef().name(),
                task.uid());
    }

    static ResourceID poolOf(AgentTask task) {
        return new ResourceID(
                task.getSpec().workerPoolRef().name(), task.getMetadata().getNamespace());
    }

    public Optional<AgentTask> byUid(String uid) {
        return cache.byIndex(AgentTaskReconciler.BY_UID, uid).stream().findFirst();
    }

    /** All tasks of a pool. */
    public List<AgentTask> of(String namespace, String pool) {
        return cache.byIndex(AgentTaskReconciler.BY_POOL, PoolKey.of(new ResourceID(pool, namespace)));
    }

    public List<AgentTask> unfinishedOf(String namespace, String pool) {
        return of(namespace, pool).stream().filter(task -> !task.isFinished()).toList();
    }

    /** The tasks of a pool whose status says that a worker runs them. */
    public List<AgentTask> runningOf(String namespace, String pool) {
        return cache.byIndex(AgentTaskReconciler.BY_RUNNING, PoolKey.of(new ResourceID(pool, namespace)));
    }

    public List<AgentTask> withKey() {
        return cache.list(task -> task.getSpec().idempotencyKey() != null).toList();
    }

    public List<AgentTask> unfinished() {
        return cache.list(task -> !task.isFinished()).toList();
    }

    /** Of each pool the oldest task that waits for room in its queue. */
    public static Collection<AgentTask> firstInBacklogs(Collection<AgentTask> tasks) {
        return tasks.stream()
                .filter(task -> Backlog.waits(TaskDeadlines.statusOf(task)))
                .collect(Collectors.toMap(
                        task -> PoolKey.of(poolOf(task)),
                        task -> task,
                        (one, other) -> OLDEST_FIRST.compare(one, other) <= 0 ? one : other))
                .values();
    }
}
