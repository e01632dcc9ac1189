package dev.codeforge.operator.task.status;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import dev.codeforge.api.WorkerPoolSpec;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The finished tasks of a pool, of which it keeps the latest. */
public final class TaskHistory {
    private static final Comparator<AgentTask> LATEST_FIRST = Comparator.comparing(TaskHistory::end)
            .reversed()
            .thenComparing(task -> task.getMetadata().getName());

    private TaskHistory() {}

    public static boolean isLimited(WorkerPoolSpec pool) {
        return pool.successfulTasksHistoryLimit() != null || pool.failedTasksHistoryLimit() != null;
    }

    /**
     * What is more than the pool keeps, the oldest first.
     *
     * @param tasks all tasks of the pool
     */
    public static List<AgentTask> beyond(WorkerPoolSpec pool, List<AgentTask> tasks) {
        final List<AgentTask> finished = tasks.stream()
                .filter(task -> task.isFinished() && task.mayExpire())
                .filter(task -> task.getMetadata().getDeletionTimestamp() == null)
                .sorted(LATEST_FIRST)
                .toList();
        return Stream.concat(
                        beyond(
                                pool.successfulTasksHistoryLimit(),
                                finished.stream().filter(TaskHistory::succeeded)),
                        beyond(pool.failedTasksHistoryLimit(), finished.stream().filter(task -> !succeeded(task))))
                .sorted(LATEST_FIRST.reversed())
                .toList();
    }

    private static Stream<AgentTask> beyond(@Nullable Integer limit, Stream<AgentTask> latestFirst) {
        return limit == null ? Stream.empty() : latestFirst.skip(limit);
    }

    private static boolean succeeded(AgentTask task) {
        return task.statusOrUnobserved().phase() == Phase.Succeeded;
    }

    private static Instant end(AgentTask task) {
        final AgentTaskStatus status = task.statusOrUnobserved();
        return status.completionTime() == null ? Instant.EPOCH : status.completionTime();
    }
}
