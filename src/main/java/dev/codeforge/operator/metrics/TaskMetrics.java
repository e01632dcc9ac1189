package dev.codeforge.operator.metrics;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.AgentTaskStatus.HistoryEntry;
import dev.codeforge.api.AgentTaskStatus.Usage;
import dev.codeforge.api.Phase;
import dev.codeforge.operator.index.TaskIndex;
import dev.codeforge.operator.task.TaskListener;
import dev.codeforge.operator.task.status.BudgetCheck;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Counts what each stored status of a task adds to the one before. A status is stored once only, so nothing is counted
 * twice; a status that a stopped operator has stored and not counted is missing.
 */
public final class TaskMetrics implements TaskListener {
    private static final int MOST_REASONS = 60;
    private static final int MOST_MODELS = 40;

    private static final Duration[] WAITS = {
        Duration.ofMillis(100),
        Duration.ofMillis(500),
        Duration.ofSeconds(1),
        Duration.ofSeconds(5),
        Duration.ofSeconds(30),
        Duration.ofMinutes(2),
        Duration.ofMinutes(10),
        Duration.ofHours(1)
    };
    private static final Duration[] RUNS = {
        Duration.ofSeconds(1),
        Duration.ofSeconds(10),
        Duration.ofMinutes(1),
        Duration.ofMinutes(5),
        Duration.ofMinutes(15),
        Duration.ofMinutes(30),
        Duration.ofHours(1),
        Duration.ofHours(4)
    };

    private final MeterRegistry registry;
    private final BoundedLabel reasons = new BoundedLabel(MOST_REASONS);
    private final BoundedLabel models = new BoundedLabel(MOST_MODELS);

    public TaskMetrics(MeterRegistry registry) {
        this.registry = registry;
    }

    @Override
    public void status(AgentTask task, AgentTaskStatus status) {
        final AgentTaskStatus before = task.statusOrUnobserved();
        final Tags pool = PoolGauges.tags(TaskIndex.poolOf(task));
        ended(before, status, pool);
        waited(before, status, pool);
        runs(before, status, pool);
        lost(before, status, pool);
        used(before, status, pool);
    }

    @Override
    public void gone(AgentTask task) {
        // What was counted stays counted.
    }

    private void ended(AgentTaskStatus before, AgentTaskStatus status, Tags pool) {
        if (status.isTerminal() && !before.isTerminal()) {
            final String reason = status.error() == null ? "" : status.error().type();
            count(
                    "codeforge.tasks.finished",
                    "Tasks that have ended, by phase and by the type of their failure.",
                    pool.and("phase", status.phase().name(), "reason", reasons.of(reason)),
                    1);
        }
    }

    private void waited(AgentTaskStatus before, AgentTaskStatus status, Tags pool) {
        final Instant start = status.startTime();
        final boolean firstRun =
                status.deliveries() > 0 && (before.deliveries() == 0 || before.attempts() < status.attempts());
        if (firstRun && start != null && status.queuedTime() != null) {
            time(
                    "codeforge.task.queue",
                    "How long attempts waited in the queue until their first run began.",
                    pool,
                    Duration.between(status.queuedTime(), start),
                    WAITS);
        }
    }

    /** What of a history entry stays when the API server refuses the words of a status. */
    private record Ended(Integer attempt, @Nullable Instant start, @Nullable Instant end, Phase outcome) {
        static Ended of(HistoryEntry entry) {
            return new Ended(entry.attempt(), entry.startTime(), entry.completionTime(), entry.outcome());
        }
    }

    private void runs(AgentTaskStatus before, AgentTaskStatus status, Tags pool) {
        final Set<Ended> known = before.history().stream().map(Ended::of).collect(Collectors.toSet());
        for (final HistoryEntry run : status.history()) {
            if (run.startTime() != null && run.completionTime() != null && !known.contains(Ended.of(run))) {
                time(
                        "codeforge.task.run",
                        "How long runs took, by the phase that they ended in; Queued are those that a worker gave back.",
                        pool.and("outcome", run.outcome().name()),
                        Duration.between(run.startTime(), run.completionTime()),
                        RUNS);
            }
        }
    }

    private void lost(AgentTaskStatus before, AgentTaskStatus status, Tags pool) {
        final int known = before.attempts().equals(status.attempts()) ? Math.max(1, before.deliveries()) : 1;
        count(
                "codeforge.runs.lost",
                "Runs whose worker was lost and that another run of the same attempt has followed.",
                pool,
                Math.max(0, status.deliveries() - known));
    }

    private void used(AgentTaskStatus before, AgentTaskStatus status, Tags pool) {
        if (status.usage() == null) {
            return;
        }
        final Usage now = status.usage();
        final Usage then = Optional.ofNullable(before.usage()).orElseGet(() -> new Usage(0L, 0L, "0"));
        final String model = Optional.ofNullable(status.effective())
                .map(AgentTaskStatus.Effective::model)
                .orElse("");
        final Tags tags = pool.and("model", models.of(model));
        final String tokens = "Tokens that tasks have used, by the task's model.";
        count("codeforge.tokens", tokens, tags.and("direction", "in"), now.tokensIn() - then.tokensIn());
        count("codeforge.tokens", tokens, tags.and("direction", "out"), now.tokensOut() - then.tokensOut());
        count(
                "codeforge.cost.usd",
                "US dollars that tasks have cost, by the task's model.",
                tags,
                BudgetCheck.money(now.costUSD())
                        .subtract(BudgetCheck.money(then.costUSD()))
                        .doubleValue());
    }

    private void count(String name, String description, Tags tags, double more) {
        if (more > 0) {
            Counter.builder(name)
                    .description(description)
                    .tags(tags)
                    .register(registry)
                    .increment(more);
        }
    }

    private void time(String name, String description, Tags tags, Duration taken, Duration[] buckets) {
        Timer.builder(name)
                .description(description)
                .tags(tags)
                .serviceLevelObjectives(buckets)
                .register(registry)
                .record(taken.isNegative() ? Duration.ZERO : taken);
    }
}
