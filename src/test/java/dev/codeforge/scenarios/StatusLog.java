package dev.codeforge.scenarios;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/** Each status that a task ever showed, watched directly at the API server. */
final class StatusLog implements ResourceEventHandler<AgentTask>, AutoCloseable {
    private final Map<String, List<AgentTaskStatus>> byUid = new ConcurrentHashMap<>();
    private final SharedIndexInformer<AgentTask> informer;

    StatusLog(KubernetesClient client, String namespace) {
        informer = client.resources(AgentTask.class).inNamespace(namespace).inform(this);
    }

    /** In the order of their writing, without repetitions. */
    List<AgentTaskStatus> of(String uid) {
        return byUid.getOrDefault(uid, List.of());
    }

    /** How often the task came to an end: a terminal status that another one follows counts as one end each. */
    long ends(String uid) {
        return of(uid).stream()
                .filter(status -> status.phase() != null && status.phase().isTerminal())
                .count();
    }

    @Override
    public void onAdd(AgentTask task) {
        see(task);
    }

    @Override
    public void onUpdate(AgentTask before, AgentTask task) {
        see(task);
    }

    @Override
    public void onDelete(AgentTask task, boolean unknown) {
        see(task);
    }

    private void see(AgentTask task) {
        task.observedStatus().ifPresent(status -> {
            final List<AgentTaskStatus> seen =
                    byUid.computeIfAbsent(task.uid(), unseen -> new CopyOnWriteArrayList<>());
            if (seen.isEmpty() || !seen.getLast().equals(status)) {
                seen.add(status);
            }
        });
    }

    @Override
    public void close() {
        informer.close();
    }
}
