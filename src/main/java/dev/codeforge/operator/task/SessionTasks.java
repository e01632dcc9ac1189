package dev.codeforge.operator.task;

import dev.codeforge.api.AgentTask;
import io.javaoperatorsdk.operator.api.reconciler.IndexedResourceCache;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.IndexerResourceCache;
import java.util.List;

/** The tasks of a session, found in the cache by an index: however many tasks there are, only those are looked at. */
final class SessionTasks {
    private static final String BY_SESSION = "session";

    private SessionTasks() {}

    static void index(IndexerResourceCache<AgentTask> cache) {
        cache.addIndexer(
                BY_SESSION,
                task -> SessionOrder.hasSession(task)
                        ? List.of(SessionOrder.keyOf(task).entry())
                        : List.of());
    }

    /** The other unfinished ones, each as it was written last: the index alone knows a write only when it comes back. */
    static List<AgentTask> of(AgentTask task, IndexedResourceCache<AgentTask> cache) {
        if (!SessionOrder.hasSession(task)) {
            return List.of();
        }
        return cache.byIndex(BY_SESSION, SessionOrder.keyOf(task).entry()).stream()
                .flatMap(other -> cache.get(ResourceID.fromResource(other)).stream())
                .filter(other -> !other.uid().equals(task.uid()) && !other.isFinished())
                .toList();
    }
}
