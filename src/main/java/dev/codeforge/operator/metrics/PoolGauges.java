package dev.codeforge.operator.metrics;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.api.WorkerPoolStatus;
import dev.codeforge.operator.index.PoolIndex;
import dev.codeforge.operator.index.TaskIndex;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.MultiGauge.Row;
import io.micrometer.core.instrument.Tags;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The state of pools and tasks, read from the caches at each scrape. An operator that stands by has none. */
public final class PoolGauges {
    private static final String POOL = "pool";
    private static final String NAMESPACE = "namespace";

    private static final double MILLIS = 1000;

    private enum Gauge {
        TASKS("codeforge.tasks", "Tasks that exist, by phase."),
        OLDEST(
                "codeforge.queue.oldest.wait.seconds",
                "How long the oldest Pending or Queued task has waited since it was due; 0 if there is none."),
        QUEUE("codeforge.queue.messages", "Messages in the pool's queue: waiting, or running in a worker's hands."),
        WORKERS("codeforge.pool.workers", "Workers of the pool: wanted, existing, ready."),
        DEAD_LETTERS("codeforge.pool.dead.letters", "Dead letters of the pool."),
        CONDITION("codeforge.pool.condition", "1 while this condition of the pool is True, else 0.");

        private final String named;
        private final String description;

        Gauge(String named, String description) {
            this.named = named;
            this.description = description;
        }
    }

    private final MeterRegistry registry;
    private final TaskIndex tasks;
    private final PoolIndex pools;
    private final Clock clock;
    private final Map<Gauge, MultiGauge> gauges = new EnumMap<>(Gauge.class);

    public PoolGauges(MeterRegistry registry, TaskIndex tasks, PoolIndex pools, Clock clock) {
        this.registry = registry;
        this.tasks = tasks;
        this.pools = pools;
        this.clock = clock;
        for (final Gauge gauge : Gauge.values()) {
            gauges.put(
                    gauge,
                    MultiGauge.builder(gauge.named)
                            .description(gauge.description)
                            .register(registry));
        }
    }

    static Tags tags(ResourceID pool) {
        return Tags.of(NAMESPACE, pool.getNamespace().orElse(""), POOL, pool.getName());
    }

    private static final class Tally {
        private final Map<Phase, Integer> phases = new EnumMap<>(Phase.class);
        private Optional<Instant> waitingSince = Optional.empty();

        private void add(AgentTask task) {
            final AgentTaskStatus status = task.statusOrUnobserved();
            final Phase phase = status.phase() == null ? Phase.Pending : status.phase();
            phases.merge(phase, 1, Integer::sum);
            if (phase == Phase.Pending || phase == Phase.Queued) {
                final Instant due = due(task, status);
                waitingSince =
                        waitingSince.filter(before -> before.isBefore(due)).or(() -> Optional.of(due));
            }
        }

        private static Instant due(AgentTask task, AgentTaskStatus status) {
            return Optional.ofNullable(status.nextAttemptTime())
                    .orElseGet(() -> Instant.parse(task.getMetadata().getCreationTimestamp()));
        }
    }

    /** Reads the caches again. Not for two threads at once. */
    public void refresh() {
        final Map<Gauge, List<Row<?>>> rows = new EnumMap<>(Gauge.class);
        final Map<ResourceID, Tally> tallies = new HashMap<>();
        pools.list().forEach(pool -> {
            final ResourceID id = ResourceID.fromResource(pool);
            tallies.put(id, new Tally());
            add(rows, tags(id), pool);
        });
        tasks.list().forEach(task -> tallies.computeIfAbsent(TaskIndex.poolOf(task), ignored -> new Tally())
                .add(task));
        final Instant now = clock.instant();
        tallies.forEach((pool, tally) -> add(rows, tags(pool), tally, now));
        gauges.forEach((gauge, registered) -> registered.register(rows.getOrDefault(gauge, List.of()), true));
        forgetAllBut(tallies.keySet());
    }

    private static void add(Map<Gauge, List<Row<?>>> rows, Tags pool, Tally tally, Instant now) {
        tally.phases.forEach((phase, count) -> add(rows, Gauge.TASKS, pool.and("phase", phase.name()), count));
        final Duration waited =
                tally.waitingSince.map(since -> Duration.between(since, now)).orElse(Duration.ZERO);
        add(rows, Gauge.OLDEST, pool, Math.max(0, waited.toMillis() / MILLIS));
    }

    private static void add(Map<Gauge, List<Row<?>>> rows, Tags tags, WorkerPool pool) {
        final WorkerPoolStatus status = pool.observedStatus().orElseGet(WorkerPoolStatus::unobserved);
        if (status.queue() != null) {
            add(rows, Gauge.QUEUE, tags.and("state", "waiting"), status.queue().waiting());
            add(rows, Gauge.QUEUE, tags.and("state", "running"), status.queue().running());
        }
        final int wanted = status.scaling() == null
                ? pool.getSpec().replicas()
                : status.scaling().desired();
        add(rows, Gauge.WORKERS, tags.and("state", "wanted"), wanted);
        add(rows, Gauge.WORKERS, tags.and("state", "existing"), status.replicas());
        add(rows, Gauge.WORKERS, tags.and("state", "ready"), status.readyReplicas());
        add(rows, Gauge.DEAD_LETTERS, tags, status.deadLetters());
        status.conditions()
                .forEach(condition -> add(
                        rows,
                        Gauge.CONDITION,
                        tags.and("condition", condition.getType()),
                        "True".equals(condition.getStatus()) ? 1 : 0));
    }

    private static void add(Map<Gauge, List<Row<?>>> rows, Gauge gauge, Tags tags, Number value) {
        rows.computeIfAbsent(gauge, ignored -> new ArrayList<>()).add(Row.of(tags, value));
    }

    /** A pool that is gone takes its counters with it: names that come and go must not fill the memory. */
    private void forgetAllBut(Set<ResourceID> present) {
        for (final Meter meter : registry.getMeters()) {
            final String pool = meter.getId().getTag(POOL);
            final String namespace = meter.getId().getTag(NAMESPACE);
            if (pool != null && namespace != null && !present.contains(new ResourceID(pool, namespace))) {
                registry.remove(meter);
            }
        }
    }
}
