package dev.codeforge.operator.sweep;

import dev.codeforge.api.AgentTask;
import dev.codeforge.jetstream.Connections;
import dev.codeforge.jetstream.QueueUnavailableException;
import dev.codeforge.operator.index.TaskIndex;
import dev.codeforge.operator.results.StatusLag;
import dev.codeforge.wire.Subjects;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds tasks whose attempt is under way and whose message is in no stream: the stream was emptied, or the server has lost its disk.
 * One request for each stream; each task found is reconciled, and that decides.
 */
public final class LostMessageSweep implements Sweep {
    private static final Logger LOG = LoggerFactory.getLogger(LostMessageSweep.class);

    private final TaskIndex tasks;
    private final Connections connections;
    private final Consumer<AgentTask> reconcile;

    public LostMessageSweep(TaskIndex tasks, Connections connections, Consumer<AgentTask> reconcile) {
        this.tasks = tasks;
        this.connections = connections;
        this.reconcile = reconcile;
    }

    @Override
    public void run() {
        final Map<String, List<AgentTask>> byStream = tasks.unfinished().stream()
                .filter(LostMessageSweep::isPublished)
                .collect(Collectors.groupingBy(task -> task.getStatus().queue().stream()));
        byStream.forEach(this::sweep);
    }

    private static boolean isPublished(AgentTask task) {
        return task.observedStatus()
                .filter(status -> status.queue() != null && StatusLag.isUnderWay(status))
                .isPresent();
    }

    private void sweep(String stream, List<AgentTask> published) {
        try {
            final Set<String> present = connections.queue().standingSubjects(stream).stream()
                    .map(Subjects::taskIdOfMessage)
                    .collect(Collectors.toSet());
            final List<AgentTask> missing = published.stream()
                    .filter(task -> !present.contains(task.uid()))
                    .toList();
            if (!missing.isEmpty()) {
                LOG.info("{} has no message of {} unfinished tasks: they are reconciled", stream, missing.size());
            }
            missing.forEach(reconcile);
        } catch (QueueUnavailableException e) {
            // The other streams are swept all the same.
            LOG.debug("stream {} cannot be read: {}", stream, e.getMessage());
        }
    }
}
