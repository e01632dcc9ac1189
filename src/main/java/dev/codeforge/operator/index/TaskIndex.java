package dev.codeforge.operator.index;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.Phase;
import dev.codeforge.operator.framework.PoolKey;
import dev.codeforge.wire.TaskRef;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.IndexerResourceCache;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The tasks in the cache. It is empty until the task reconciler's event sources are prepared. */
public final class TaskIndex {
    /** In the order of their creation, which Kubernetes gives in whole seconds, then of their names. */
    public static final Comparator<AgentTask> OLDEST_FIRST = Comparator.comparing(
                    (AgentTask task) -> task.getMetadata().getCreationTimestamp())
            .thenComparing(task -> task.getMetadata().getName());

    private static final String BY_UID = "uid";
    private static final String BY_POOL = "pool";
    private static final String BY_RUNNING = "running";
    private static final String BY_KEY = "key";

    private volatile Optional<IndexerResourceCache<AgentTask>> cache = Optional.empty();

    /** Indexes the cache. Call it when the reconciler's event sources are prepared. */
    public TaskIndex in(IndexerResourceCache<AgentTask> primaries) {
        primaries.addIndexer(BY_UID, task -> List.of(task.uid()));
        primaries.addIndexer(BY_POOL, task -> List.of(PoolKey.of(poolOf(task))));
        primaries.addIndexer(BY_RUNNING, task -> runs(task) ? List.of(PoolKey.of(poolOf(task))) : List.of());
        primaries.addIndexer(BY_KEY, task -> keyOf(task).stream().toList());
        cache = Optional.of(primaries);
        return this;
    }

    /** The task as the subjects of its runs name it. */
    public static TaskRef ref(AgentTask task) {
        return new TaskRef(
                task.getMetadata().getNamespace(),
                task.getSpec().workerPoolRef().name(),
                task.uid());
    }

    public static ResourceID poolOf(AgentTask task) {
        return new ResourceID(
                task.getSpec().workerPoolRef().name(), task.getMetadata().getNamespace());
    }

    public Optional<AgentTask> byUid(String uid) {
        return by(BY_UID, uid).stream().findFirst();
    }

    public Stream<AgentTask> list() {
        return cache.stream().flatMap(IndexerResourceCache::list);
    }

    /** All tasks of a pool. */
    public List<AgentTask> of(String namespace, String pool) {
        return by(BY_POOL, PoolKey.of(new ResourceID(pool, namespace)));
    }

    public List<AgentTask> unfinishedOf(String namespace, String pool) {
        return of(namespace, pool).stream().filter(task -> !task.isFinished()).toList();
    }

    /** The tasks of a pool whose status says that a worker runs them. */
    public List<AgentTask> runningOf(String namespace, String pool) {
        return by(BY_RUNNING, PoolKey.of(new ResourceID(pool, namespace)));
    }

    public List<AgentTask> unfinished() {
        return cache.stream()
                .flatMap(primaries -> primaries.list(task -> !task.isFinished()))
                .toList();
    }

    /** The tasks that have an idempotency key. */
    public List<AgentTask> withKey() {
        return cache.stream()
                .flatMap(primaries -> primaries.list(task -> task.getSpec().idempotencyKey() != null))
                .toList();
    }

    /** The tasks with this one's idempotency key, this one among them; none if it has no key. */
    public List<AgentTask> withKeyOf(AgentTask task) {
        return keyOf(task).map(key -> by(BY_KEY, key)).orElse(List.of());
    }

    private List<AgentTask> by(String index, String key) {
        return cache.map(primaries -> primaries.byIndex(index, key)).orElse(List.of());
    }

    private static boolean runs(AgentTask task) {
        return task.observedStatus()
                .filter(status -> status.phase() == Phase.Running)
                .isPresent();
    }

    private static Optional<String> keyOf(AgentTask task) {
        return Optional.ofNullable(task.getSpec().idempotencyKey())
                .map(key -> task.getMetadata().getNamespace() + "/" + key);
    }
}
