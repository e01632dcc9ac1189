package dev.codeforge.operator.sweep;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.jetstream.Connections;
import dev.codeforge.operator.task.TaskIndex;
import dev.codeforge.wire.Subjects;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One batched look at every published and unfinished task: those that stand in no stream are looked at
 * one by one, and published again if that look agrees. It finds what no event tells: a stream that was emptied, a broker
 * that lost its disk.
 */
public final class UnfinishedSweep implements Sweep {
    private static final Logger LOG = LoggerFactory.getLogger(UnfinishedSweep.class);

    private final Supplier<TaskIndex> tasks;
    private final Connections connections;
    private final Consumer<AgentTask> lookAt;

    public UnfinishedSweep(Supplier<TaskIndex> tasks, Connections connections, Consumer<AgentTask> lookAt) {
        this.tasks = tasks;
        this.connections = connections;
        this.lookAt = lookAt;
    }

    @Override
    public void run() {
        final Collection<AgentTask> missing = missing();
        if (!missing.isEmpty()) {
            LOG.info("{} unfinished tasks stand in no stream: looking at each", missing.size());
        }
        missing.forEach(lookAt);
    }

    /** Also those with news that the consumer did not bring: an outcome of a task that is shown as unfinished. */
    Collection<AgentTask> missing() {
        final List<AgentTask> published = tasks.get().unfinished().stream()
                .filter(task ->
                        task.observedStatus().map(AgentTaskStatus::queue).isPresent())
                .toList();
        final Map<String, List<AgentTask>> byStream =
                published.stream().collect(Collectors.groupingBy(task -> task.getStatus().queue().stream()));
        final Set<String> standing = new HashSet<>();
        byStream.keySet().forEach(stream -> standing.addAll(idsIn(stream)));
        final Map<String, AgentTask> missing = new HashMap<>();
        for (final AgentTask task : published) {
            if (!standing.contains(task.uid())) {
                missing.put(task.uid(), task);
            }
        }
        return missing.values();
    }

    private Set<String> idsIn(String stream) {
        return connections.queue("").standingSubjects(stream).stream()
                .map(Subjects::taskIdOfMessage)
                .collect(Collectors.toSet());
    }
}
