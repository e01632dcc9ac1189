package dev.codeforge.soak;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/** Watches all tasks, directly at the API server, for what must never happen to a status. */
final class Observer implements ResourceEventHandler<AgentTask>, AutoCloseable {
    private final Map<String, AgentTaskStatus> last = new ConcurrentHashMap<>();
    private final Map<String, Boolean> deleted = new ConcurrentHashMap<>();
    private final List<String> violations = new CopyOnWriteArrayList<>();
    private final KubernetesClient client;
    private final String namespace;
    private final SharedIndexInformer<AgentTask> informer;

    Observer(KubernetesClient client, String namespace) {
        this.client = client;
        this.namespace = namespace;
        informer = client.resources(AgentTask.class).inNamespace(namespace).inform(this);
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
        deleted.put(task.uid(), true);
    }

    private void see(AgentTask task) {
        final Optional<AgentTaskStatus> now = task.observedStatus();
        final Optional<AgentTaskStatus> before = Optional.ofNullable(last.get(task.uid()));
        now.ifPresent(status -> last.put(task.uid(), status));
        if (before.isEmpty() || now.isEmpty()) {
            return;
        }
        final String name = task.getMetadata().getName();
        final boolean mayRunAgain = name.startsWith("rerun-");
        if (isTerminal(before.get()) && !outcome(before.get()).equals(outcome(now.get())) && !mayRunAgain) {
            violations.add(name + ": its terminal status changed from "
                    + before.get().phase() + " to " + now.get().phase());
        }
        if (now.get().attempts() < before.get().attempts()) {
            violations.add(name + " (attempts " + before.get().attempts() + ", then "
                    + now.get().attempts() + ")");
        }
    }

    /** What may not change after the end; conditions tell of later wishes too. */
    private static List<Object> outcome(AgentTaskStatus status) {
        return Arrays.asList(
                status.phase(),
                status.attempts(),
                status.completionTime(),
                status.result(),
                status.error(),
                status.usage());
    }

    private static boolean isTerminal(AgentTaskStatus status) {
        return status.phase() != null && status.phase().isTerminal();
    }

    /** How a task ended in one word; {@code no status} when it was never looked at. */
    String end(Task task) {
        return isGone(task.id())
                ? "gone"
                : status(task.id()).map(AgentTaskStatus::phase).map(Phase::name).orElse("no status");
    }

    Optional<AgentTaskStatus> status(String uid) {
        return Optional.ofNullable(last.get(uid));
    }

    /** Asks for a task that may have come and gone while the watch was down. */
    void lookFor(Task task) {
        final AgentTask live = client.resources(AgentTask.class)
                .inNamespace(namespace)
                .withName(task.name())
                .get();
        if (live == null) {
            deleted.put(task.id(), true);
        } else {
            see(live);
        }
    }

    /** Writes these tasks as they are now. */
    void dump(List<Task> tasks, Path file) throws IOException {
        final List<AgentTask> found = tasks.stream()
                .map(task -> client.resources(AgentTask.class)
                        .inNamespace(namespace)
                        .withName(task.name())
                        .get())
                .filter(Objects::nonNull)
                .toList();
        Files.writeString(file, Serialization.asYaml(found));
    }

    boolean isGone(String uid) {
        return deleted.containsKey(uid);
    }

    boolean isSettled(Task task) {
        final int attempts = task.kind() == Kind.RERUN ? 2 : 0;
        return isGone(task.id())
                || status(task.id())
                        .filter(Observer::isTerminal)
                        .filter(status -> status.attempts() >= attempts)
                        .isPresent();
    }

    /** What was seen and must not be; a sentence each, beginning with the task's name. */
    List<String> violations() {
        return List.copyOf(violations);
    }

    @Override
    public void close() {
        informer.close();
    }
}
