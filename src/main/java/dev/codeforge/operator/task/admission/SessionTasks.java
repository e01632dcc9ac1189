package dev.codeforge.operator.task.admission;

import dev.codeforge.api.AgentTask;
import io.javaoperatorsdk.operator.api.reconciler.IndexedResourceCache;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.IndexerResourceCache;
import java.util.List;

/** The tasks of a session, found by an index, so that the cost does not grow with the number of tasks. */
public final class SessionTasks {
    private static final String BY_SESSION = "session";

    private SessionTasks() {}

    public static void index(IndexerResourceCache<AgentTask> cache) {
        cache.addIndexer(
                BY_SESSION,
                task -> SessionOrder.hasSession(task)
                        ? List.of(SessionOrder.keyOf(task).entry())
                        : List.of());
    }

    /** The other unfinished tasks, each as last written: the index alone shows a write only when its event arrives. */
    public static List<AgentTask> of(AgentTask task, IndexedResourceCache<AgentTask> cache) {
        if (!SessionOrder.hasSession(task)) {
            return List.of();
        }
        return cache.byIndex(BY_SESSION, SessionOrder.keyOf(task).entry()).stream()
                .flatMap(other -> cache.get(ResourceID.fromResource(other)).stream())
                .filter(other -> !other.uid().equals(task.uid()) && !other.isFinished())
                .toList();
    }
}
