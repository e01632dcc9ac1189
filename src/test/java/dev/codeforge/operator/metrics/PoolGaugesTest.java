package dev.codeforge.operator.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.api.WorkerPoolStatus;
import dev.codeforge.operator.index.PoolIndex;
import dev.codeforge.operator.index.TaskIndex;
import dev.codeforge.testing.InMemoryCache;
import dev.codeforge.testing.Resources;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** A scrape shows the caches as they are now. */
final class PoolGaugesTest {
    private final InMemoryCache<WorkerPool> pools = new InMemoryCache<>(Map.of());
    private final InMemoryCache<AgentTask> tasks = new InMemoryCache<>(Map.of());
    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    // Resources.task is created a minute before.
    private final PoolGauges gauges = new PoolGauges(
            registry,
            new TaskIndex().in(tasks),
            new PoolIndex().in(pools),
            Clock.fixed(Instant.parse("2026-11-24T09:01:00Z"), ZoneOffset.UTC));

    @Test
    void tasksAreCountedByPhaseAndLeaveWithTheirPhase() {
        task("a", "{phase: Queued}");
        task("b", "{phase: Running}");
        gauges.refresh();
        assertThat(value("codeforge.tasks", "phase", "Queued")).isEqualTo(1);
        task("a", "{phase: Running}");
        gauges.refresh();
        assertThat(value("codeforge.tasks", "phase", "Running")).isEqualTo(2);
        assertThat(registry.find("codeforge.tasks").tags("phase", "Queued").gauge())
                .isNull();
    }

    @Test
    void theOldestTaskThatWaitsGivesTheWait() {
        task("running", "{phase: Running}");
        gauges.refresh();
        assertThat(value("codeforge.queue.oldest.wait.seconds", "pool", "pool")).isZero();
        task("retried", "{phase: Queued, nextAttemptTime: '2026-11-24T09:00:50Z'}");
        gauges.refresh();
        assertThat(value("codeforge.queue.oldest.wait.seconds", "pool", "pool")).isEqualTo(10);
        task("new", "{}");
        gauges.refresh();
        assertThat(value("codeforge.queue.oldest.wait.seconds", "pool", "pool")).isEqualTo(60);
    }

    @Test
    void aPoolShowsItsQueueItsWorkersAndItsConditions() {
        pool(
                """
                {replicas: 3, readyReplicas: 2, deadLetters: 4,
                 queue: {stream: s, subject: tasks.s, waiting: 7, running: 5},
                 scaling: {desired: 6, reason: QueueGrew, demand: 12, decisionTime: '2026-11-24T09:00:00Z'},
                 conditions: [{type: Ready, status: 'True', reason: A, message: m, lastTransitionTime: '2026-11-24T09:00:00Z'},
                              {type: Stalled, status: 'False', reason: B, message: m, lastTransitionTime: '2026-11-24T09:00:00Z'}]}
                """);
        gauges.refresh();
        assertThat(value("codeforge.queue.messages", "state", "waiting")).isEqualTo(7);
        assertThat(value("codeforge.queue.messages", "state", "running")).isEqualTo(5);
        assertThat(value("codeforge.pool.workers", "state", "wanted")).isEqualTo(6);
        assertThat(value("codeforge.pool.workers", "state", "existing")).isEqualTo(3);
        assertThat(value("codeforge.pool.workers", "state", "ready")).isEqualTo(2);
        assertThat(value("codeforge.pool.dead.letters", "pool", "pool")).isEqualTo(4);
        assertThat(value("codeforge.pool.condition", "condition", "Ready")).isEqualTo(1);
        assertThat(value("codeforge.pool.condition", "condition", "Stalled")).isZero();
    }

    @Test
    void aPoolThatIsGoneTakesItsCountersWithIt() {
        final WorkerPool pool = pool("{}");
        new TaskMetrics(registry)
                .status(
                        Resources.task("ns", "task", "pool"),
                        Resources.of(AgentTaskStatus.class, "{phase: Succeeded}"));
        gauges.refresh();
        assertThat(registry.find("codeforge.tasks.finished").counter()).isNotNull();
        pools.remove(pool);
        gauges.refresh();
        assertThat(registry.getMeters())
                .noneMatch(meter -> "pool".equals(meter.getId().getTag("pool")));
    }

    private double value(String name, String tag, String value) {
        return registry.get(name)
                .tags("namespace", "ns", "pool", "pool", tag, value)
                .gauge()
                .value();
    }

    private void task(String name, String status) {
        final AgentTask task = Resources.task("ns", name, "pool");
        task.setStatus(Resources.of(AgentTaskStatus.class, status));
        tasks.put(task);
    }

    private WorkerPool pool(String status) {
        final WorkerPool pool = Resources.pool("ns", "pool", null);
        pool.setStatus(Resources.of(WorkerPoolStatus.class, status));
        pools.put(pool);
        return pool;
    }
}
