package dev.codeforge.operator.sweep;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.jetstream.Connections;
import dev.codeforge.jetstream.QueueUnavailableException;
import dev.codeforge.operator.task.StatusLag;
import dev.codeforge.operator.task.TaskIndex;
import dev.codeforge.wire.Subjects;
import dev.codeforge.wire.TaskEvent;
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
 * One batched look at every unfinished task: those that stand in no stream, those whose last event tells what their
 * status does not, and the first that waits for room in its pool's queue, are reconciled one by one, and that decides. It finds what nobody told: a stream that was emptied, a
 * broker that lost its disk, an event that was acknowledged and not applied.
 */
public final class UnfinishedSweep implements Sweep {
    private static final Logger LOG = LoggerFactory.getLogger(UnfinishedSweep.class);

    private final Supplier<TaskIndex> tasks;
    private final Connections connections;
    private final LastEvents lastEvents;
    private final Consumer<AgentTask> lookAt;

    public UnfinishedSweep(
            Supplier<TaskIndex> tasks, Connections connections, LastEvents lastEvents, Consumer<AgentTask> lookAt) {
        this.tasks = tasks;
        this.connections = connections;
        this.lastEvents = lastEvents;
        this.lookAt = lookAt;
    }

    @Override
    public void run() {
        final List<AgentTask> unfinished = tasks.get().unfinished();
        final Map<String, AgentTask> toSee = new HashMap<>();
        missing(unfinished).forEach(task -> toSee.put(task.uid(), task));
        if (!toSee.isEmpty()) {
            LOG.info("{} unfinished tasks stand in no stream: looking at each", toSee.size());
        }
        withNews(unfinished).forEach(task -> toSee.put(task.uid(), task));
        TaskIndex.firstInBacklogs(unfinished).forEach(task -> toSee.put(task.uid(), task));
        toSee.values().forEach(lookAt);
    }

    private List<AgentTask> missing(List<AgentTask> unfinished) {
        final List<AgentTask> published = unfinished.stream()
                .filter(task -> task.observedStatus()
                        .filter(status -> status.queue() != null && StatusLag.isUnderWay(status))
                        .isPresent())
                .toList();
        final Map<String, List<AgentTask>> byStream =
                published.stream().collect(Collectors.groupingBy(task -> streamOf(task.getStatus())));
        final Set<String> standing = new HashSet<>();
        final Set<String> unread = new HashSet<>();
        for (final String stream : byStream.keySet()) {
            try {
                standing.addAll(idsIn(stream));
            } catch (QueueUnavailableException e) {
                // The others are looked at all the same.
                LOG.debug("stream {} cannot be read: {}", stream, e.getMessage());
                unread.add(stream);
            }
        }
        return published.stream()
                .filter(task -> !standing.contains(task.uid()) && !unread.contains(streamOf(task.getStatus())))
                .toList();
    }

    private static String streamOf(AgentTaskStatus status) {
        return status.queue().stream();
    }

    private Set<String> idsIn(String stream) {
        return connections.queue().standingSubjects(stream).stream()
                .map(Subjects::taskIdOfMessage)
                .collect(Collectors.toSet());
    }

    private List<AgentTask> withNews(List<AgentTask> unfinished) {
        final Map<String, TaskEvent> events =
                lastEvents.of(unfinished.stream().map(TaskIndex::ref).toList());
        return unfinished.stream()
                .filter(task -> {
                    final TaskEvent event = events.get(task.uid());
                    return event != null && StatusLag.isBehind(task, event);
                })
                .toList();
    }
}
