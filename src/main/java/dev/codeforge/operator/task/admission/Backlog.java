package dev.codeforge.operator.task.admission;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import dev.codeforge.operator.framework.PoolKey;
import dev.codeforge.operator.index.TaskIndex;
import dev.codeforge.operator.status.Conditions;
import dev.codeforge.operator.status.Reason;
import dev.codeforge.operator.task.status.StatusTransition;
import dev.codeforge.operator.task.status.TaskConditions;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.IndexerResourceCache;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BinaryOperator;
import java.util.function.Function;
import java.util.function.ToIntFunction;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/**
 * Tasks that wait for room in their pool's queue. The operator offers room to the oldest of them; the others send NATS
 * no request.
 */
public final class Backlog {
    private static final String BY_BACKLOG = "backlog";

    /**
     * What the cache does not show yet, as UIDs of waiting tasks.
     *
     * @param offered room, and have not tried to publish since
     * @param published until the cache shows that they have left the backlog
     */
    private record Progress(Set<String> offered, Set<String> published) {
        private static final Progress NONE = new Progress(Set.of(), Set.of());

        private Progress {
            offered = Set.copyOf(offered);
            published = Set.copyOf(published);
        }

        private Progress of(Set<String> waiting) {
            return new Progress(both(offered, waiting), both(published, waiting));
        }

        private Progress offering(Collection<AgentTask> tasks) {
            final Set<String> more = new HashSet<>(offered);
            tasks.forEach(task -> more.add(task.uid()));
            return new Progress(more, published);
        }

        private Progress without(AgentTask task) {
            return new Progress(less(offered, task), less(published, task));
        }

        private static Set<String> less(Set<String> uids, AgentTask task) {
            final Set<String> less = new HashSet<>(uids);
            less.remove(task.uid());
            return less;
        }

        private Progress publishing(AgentTask task) {
            final Set<String> more = new HashSet<>(published);
            more.add(task.uid());
            return new Progress(without(task).offered, more);
        }

        private boolean isFree(AgentTask task) {
            return !offered.contains(task.uid()) && !published.contains(task.uid());
        }

        private static Set<String> both(Set<String> some, Set<String> others) {
            return some.stream().filter(others::contains).collect(Collectors.toSet());
        }
    }

    private final Map<String, Progress> progress = new ConcurrentHashMap<>();

    private volatile IndexerResourceCache<AgentTask> cache;

    /** Call this when the reconciler's event sources are prepared. */
    public Backlog in(IndexerResourceCache<AgentTask> primaries) {
        primaries.addIndexer(BY_BACKLOG, task -> waits(task.statusOrUnobserved()) ? List.of(keyOf(task)) : List.of());
        cache = primaries;
        return this;
    }

    /** True if the task's last publish found the queue full. */
    public static boolean waits(AgentTaskStatus status) {
        return status.phase() == Phase.Pending
                && Conditions.find(status.conditions(), "Ready")
                        .filter(ready -> Reason.QueueFull.name().equals(ready.getReason()))
                        .isPresent();
    }

    /** The oldest task of each pool that waits for room in its queue. */
    public static Collection<AgentTask> firsts(Collection<AgentTask> tasks) {
        return tasks.stream()
                .filter(task -> waits(task.statusOrUnobserved()))
                .collect(Collectors.toMap(
                        Backlog::keyOf, Function.identity(), BinaryOperator.minBy(TaskIndex.OLDEST_FIRST)))
                .values();
    }

    /** True if nothing has changed since the task found no room: its spec is the same, and no room was offered. */
    public boolean rests(AgentTask task) {
        final AgentTaskStatus status = task.statusOrUnobserved();
        return waits(status)
                && status.observedGeneration() == TaskConditions.generation(task)
                && progressOf(task).isFree(task);
    }

    /** True if an older task waits for room: that task publishes first. */
    public boolean isBehind(AgentTask task) {
        return !waits(task.statusOrUnobserved())
                && cache.byIndex(BY_BACKLOG, keyOf(task)).stream()
                        .filter(other -> !progressOf(task).published().contains(other.uid()))
                        .anyMatch(other -> TaskIndex.OLDEST_FIRST.compare(other, task) < 0);
    }

    /**
     * Offers room to so many tasks more, because so many messages have left the pool's queue.
     *
     * @return the tasks that may publish now
     */
    public List<AgentTask> offer(ResourceID pool, int more) {
        return offer(pool, before -> more);
    }

    /**
     * Offers the room that a pool's queue has in all. Tasks that were offered room and have not tried yet take theirs of
     * it.
     *
     * @return the tasks that may publish now
     */
    public List<AgentTask> offerAll(ResourceID pool, int room) {
        return offer(pool, before -> room - before.offered().size());
    }

    private List<AgentTask> offer(ResourceID pool, ToIntFunction<Progress> limit) {
        final List<AgentTask> next = new ArrayList<>();
        progress.compute(PoolKey.of(pool), (key, former) -> {
            final List<AgentTask> waiting = cache.byIndex(BY_BACKLOG, key);
            final Set<String> uids = waiting.stream().map(AgentTask::uid).collect(Collectors.toSet());
            final Progress before = former == null ? Progress.NONE : former.of(uids);
            waiting.stream()
                    .filter(before::isFree)
                    .sorted(TaskIndex.OLDEST_FIRST)
                    .limit(Math.max(0, limit.applyAsInt(before)))
                    .forEach(next::add);
            return kept(before.offering(next));
        });
        return next;
    }

    /** Lets one task publish although the queue offered no room, because another trigger concerns it. */
    public void offer(AgentTask task) {
        if (waits(task.statusOrUnobserved())) {
            change(task, before -> before.offering(List.of(task)));
        }
    }

    /** Records the outcome of a publish. @return the tasks that may publish now */
    public List<AgentTask> tried(AgentTask task, StatusTransition transition) {
        if (transition instanceof StatusTransition.Waiting waiting && waiting.reason() == Reason.QueueFull) {
            return foundNone(task);
        }
        // A status that could not be written is tried again, and room was offered to the next task already.
        final boolean isFirst = !progressOf(task).published().contains(task.uid());
        if (transition instanceof StatusTransition.Queued && waits(task.statusOrUnobserved()) && isFirst) {
            change(task, before -> before.publishing(task));
            return offer(TaskIndex.poolOf(task), 1);
        }
        return List.of();
    }

    /** The youngest offer is withdrawn: where that is not the task's own, room that comes meanwhile is the task's. */
    private List<AgentTask> foundNone(AgentTask task) {
        final List<AgentTask> again = new ArrayList<>();
        change(task, before -> {
            final AgentTask youngest = cache.byIndex(BY_BACKLOG, keyOf(task)).stream()
                    .filter(other -> before.offered().contains(other.uid()))
                    .max(TaskIndex.OLDEST_FIRST)
                    .orElse(task);
            if (TaskIndex.OLDEST_FIRST.compare(youngest, task) <= 0) {
                return before.without(task);
            }
            again.add(task);
            return before.without(youngest).offering(again);
        });
        return again;
    }

    private void change(AgentTask task, UnaryOperator<Progress> change) {
        progress.compute(keyOf(task), (key, former) -> kept(change.apply(former == null ? Progress.NONE : former)));
    }

    private Progress progressOf(AgentTask task) {
        return progress.getOrDefault(keyOf(task), Progress.NONE);
    }

    private static Progress kept(Progress after) {
        return after.equals(Progress.NONE) ? null : after;
    }

    private static String keyOf(AgentTask task) {
        return PoolKey.of(TaskIndex.poolOf(task));
    }
}
