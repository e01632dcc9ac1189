package dev.codeforge.operator.task;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import dev.codeforge.operator.framework.PoolKey;
import dev.codeforge.operator.index.TaskIndex;
import dev.codeforge.operator.status.Conditions;
import dev.codeforge.operator.status.Reason;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.IndexerResourceCache;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BinaryOperator;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Tasks that wait for room in their pool's queue. The operator offers room to the oldest of them; the others send NATS
 * no request.
 */
final class Backlog {
    private static final String BY_BACKLOG = "backlog";

    /** By pool, the UIDs of tasks that were offered room, until the cache shows that they have left the backlog. */
    private final Map<String, Set<String>> offered = new ConcurrentHashMap<>();

    private volatile IndexerResourceCache<AgentTask> cache;

    /** Call this when the reconciler's event sources are prepared. */
    Backlog in(IndexerResourceCache<AgentTask> primaries) {
        primaries.addIndexer(
                BY_BACKLOG, task -> waits(TaskDeadlines.statusOf(task)) ? List.of(keyOf(task)) : List.of());
        cache = primaries;
        return this;
    }

    /** True if the task's last publish found the queue full. */
    static boolean waits(AgentTaskStatus status) {
        return status.phase() == Phase.Pending
                && Conditions.find(status.conditions(), "Ready")
                        .filter(ready -> Reason.QueueFull.name().equals(ready.getReason()))
                        .isPresent();
    }

    /** The oldest task of each pool that waits for room in its queue. */
    static Collection<AgentTask> firsts(Collection<AgentTask> tasks) {
        return tasks.stream()
                .filter(task -> waits(TaskDeadlines.statusOf(task)))
                .collect(Collectors.toMap(
                        Backlog::keyOf, Function.identity(), BinaryOperator.minBy(TaskIndex.OLDEST_FIRST)))
                .values();
    }

    /** True if nothing has changed since the task's last publish: its spec is the same and no room was offered. */
    boolean rests(AgentTask task) {
        final AgentTaskStatus status = TaskDeadlines.statusOf(task);
        return waits(status)
                && status.observedGeneration() == TaskConditions.generation(task)
                && !offered.getOrDefault(keyOf(task), Set.of()).contains(task.uid());
    }

    /** True if an older task waits for room: that task publishes first. */
    boolean isBehind(AgentTask task) {
        return !waits(TaskDeadlines.statusOf(task))
                && cache.byIndex(BY_BACKLOG, keyOf(task)).stream()
                        .anyMatch(other -> TaskIndex.OLDEST_FIRST.compare(other, task) < 0);
    }

    /**
     * Offers room in a pool's queue.
     *
     * @param most the largest number of tasks to offer room to
     * @return the tasks that may publish now
     */
    List<AgentTask> offer(ResourceID pool, int most) {
        if (most <= 0) {
            return List.of();
        }
        final String key = PoolKey.of(pool);
        final List<AgentTask> waiting = cache.byIndex(BY_BACKLOG, key);
        final Set<String> uids = waiting.stream().map(AgentTask::uid).collect(Collectors.toSet());
        synchronized (offered) {
            final Set<String> before = offered.getOrDefault(key, Set.of());
            final List<AgentTask> next = waiting.stream()
                    .filter(task -> !before.contains(task.uid()))
                    .sorted(TaskIndex.OLDEST_FIRST)
                    .limit(most)
                    .toList();
            final Set<String> after = new HashSet<>(before);
            after.retainAll(uids);
            next.forEach(task -> after.add(task.uid()));
            replace(key, after);
            return next;
        }
    }

    /** Lets one task publish although the queue offered no room, because another trigger concerns it. */
    void offer(AgentTask task) {
        if (waits(TaskDeadlines.statusOf(task))) {
            change(task, after -> after.add(task.uid()));
        }
    }

    /** Records the outcome of a publish. @return the pool, if its next task may publish */
    Optional<ResourceID> tried(AgentTask task, StatusTransition view) {
        final boolean waited = waits(TaskDeadlines.statusOf(task));
        if (view instanceof StatusTransition.Waiting waiting && waiting.reason() == Reason.QueueFull) {
            change(task, after -> after.remove(task.uid()));
            return Optional.empty();
        }
        return waited && view instanceof StatusTransition.Queued
                ? Optional.of(TaskIndex.poolOf(task))
                : Optional.empty();
    }

    private void change(AgentTask task, Consumer<Set<String>> change) {
        synchronized (offered) {
            final Set<String> after = new HashSet<>(offered.getOrDefault(keyOf(task), Set.of()));
            change.accept(after);
            replace(keyOf(task), after);
        }
    }

    private void replace(String key, Set<String> after) {
        if (after.isEmpty()) {
            offered.remove(key);
        } else {
            offered.put(key, Set.copyOf(after));
        }
    }

    private static String keyOf(AgentTask task) {
        return PoolKey.of(TaskIndex.poolOf(task));
    }
}
