package dev.codeforge.operator.task.admission;

import dev.codeforge.api.AgentTask;
import dev.codeforge.jetstream.Connections;
import dev.codeforge.jetstream.TaskQueue;
import dev.codeforge.operator.results.DeletedTaskEnd;
import dev.codeforge.wire.TaskEvent;
import dev.codeforge.wire.TaskRef;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.util.Optional;

/** Takes a key or a session's turn over from the task that owns it. */
final class OwnerTakeover {
    private final KubernetesClient client;
    private final Connections connections;
    private final DeletedTaskEnd deleted;

    OwnerTakeover(KubernetesClient client, Connections connections, DeletedTaskEnd deleted) {
        this.client = client;
        this.connections = connections;
        this.deleted = deleted;
    }

    /**
     * Reads the owner from the API server, because the cache may lag. An owner that has ended no longer holds the key
     * or turn.
     */
    Candidate.OwnerState state(String namespace, String name, String uid) {
        final AgentTask live = client.resources(AgentTask.class)
                .inNamespace(namespace)
                .withName(name)
                .get();
        return live == null || !live.uid().equals(uid) || live.isFinished()
                ? Candidate.OwnerState.GONE
                : Candidate.OwnerState.UNFINISHED;
    }

    /**
     * Ends the owner's queued or running attempt, before another task takes its place.
     *
     * @param stream of the owner's pool
     * @param subject of another message of that pool; empty when it is not known
     * @param why the failure's message
     * @return the owner's last event, which reports an end: the one that this call wrote, or an earlier one
     */
    Optional<TaskEvent> end(TaskRef owner, String stream, String subject, String why) {
        final Optional<TaskEvent> last = deleted.last(owner);
        final TaskQueue queue = connections.queue();
        final String its = subject.isEmpty() ? "" : subject.substring(0, subject.lastIndexOf('.') + 1) + owner.id();
        final int attempt = Math.max(
                last.map(TaskEvent::attempt).orElse(1),
                its.isEmpty()
                        ? 1
                        : queue.standing(stream, its)
                                .map(message -> message.attempt())
                                .orElse(1));
        deleted.stopAndAwait(owner, last);
        deleted.writeBecause(owner, attempt, why);
        if (!its.isEmpty()) {
            queue.purge(stream, its);
        }
        return deleted.last(owner);
    }
}
