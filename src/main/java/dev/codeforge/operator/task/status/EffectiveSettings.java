package dev.codeforge.operator.task.status;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskSpec;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Budget;
import dev.codeforge.api.Retry;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.api.WorkerPoolSpec.TaskDefaults;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A task's settings with its pool's defaults. From the first publish on, the settings in the status apply. Only the
 * time to live may be changed later, and is resolved again.
 */
public final class EffectiveSettings {
    private static final TaskDefaults NONE = new TaskDefaults(null, null, null, null, null, null, null);

    private EffectiveSettings() {}

    public static AgentTaskStatus.Effective of(AgentTask task, Optional<WorkerPool> pool) {
        return task.observedStatus()
                .map(AgentTaskStatus::effective)
                .orElseGet(() -> resolve(task.getSpec(), defaults(pool)))
                .expiringAfter(timeToLive(task, task.statusOrUnobserved(), pool).orElse(null));
    }

    /** Seconds after its end at which the task is deleted; empty for never. */
    public static Optional<Integer> timeToLive(AgentTask task, AgentTaskStatus status, Optional<WorkerPool> pool) {
        if (task.getSpec().ttlSecondsAfterFinished() != null || !task.mayExpire()) {
            return Optional.ofNullable(task.getSpec().ttlSecondsAfterFinished());
        }
        final boolean told =
                status.effective() != null && status.observedGeneration() == TaskConditions.generation(task);
        return Optional.ofNullable(
                told
                        ? status.effective().ttlSecondsAfterFinished()
                        : defaults(pool).ttlSecondsAfterFinished());
    }

    private static TaskDefaults defaults(Optional<WorkerPool> pool) {
        return pool.map(found -> found.getSpec().taskDefaults()).orElse(NONE);
    }

    private static AgentTaskStatus.Effective resolve(AgentTaskSpec spec, TaskDefaults defaults) {
        return new AgentTaskStatus.Effective(
                spec.model().isEmpty() ? defaults.model() : spec.model(),
                first(spec.runTimeoutSeconds(), defaults.runTimeoutSeconds()),
                first(spec.queueTimeoutSeconds(), defaults.queueTimeoutSeconds()),
                new Retry(
                        // An AtMostOnce run that may have started must not start again, whatever the pool's default is.
                        spec.delivery() == AgentTaskSpec.DeliveryMode.AtMostOnce
                                ? Integer.valueOf(1)
                                : retry(spec, defaults, Retry::maxAttempts),
                        retry(spec, defaults, Retry::backoffSeconds),
                        retry(spec, defaults, Retry::maxBackoffSeconds),
                        retry(spec, defaults, Retry::nonRetryable),
                        retry(spec, defaults, Retry::retryable)),
                budget(spec.budget(), defaults.budget()),
                null);
    }

    private static @Nullable Budget budget(@Nullable Budget own, @Nullable Budget other) {
        return own == null || other == null
                ? first(own, other)
                : new Budget(first(own.maxTokens(), other.maxTokens()), first(own.maxCostUSD(), other.maxCostUSD()));
    }

    private static <T> T retry(AgentTaskSpec spec, TaskDefaults defaults, Function<Retry, T> field) {
        return first(
                spec.retry() == null ? null : field.apply(spec.retry()),
                defaults.retry() == null ? null : field.apply(defaults.retry()));
    }

    private static <T> T first(T own, T other) {
        return own == null ? other : own;
    }
}
