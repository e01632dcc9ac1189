package dev.codeforge.operator.metrics;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.api.WorkerPoolStatus;
import dev.codeforge.api.WorkerPoolStatus.ScalingDecision;
import dev.codeforge.operator.pool.PoolListener;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Optional;

/** Counts the decisions on a pool's number of workers. */
public final class PoolMetrics implements PoolListener {
    private final MeterRegistry registry;

    public PoolMetrics(MeterRegistry registry) {
        this.registry = registry;
    }

    @Override
    public void status(WorkerPool pool, WorkerPoolStatus status) {
        final ScalingDecision decision = status.scaling();
        final Optional<ScalingDecision> before =
                pool.observedStatus().flatMap(former -> Optional.ofNullable(former.scaling()));
        if (decision == null || before.filter(decision::equals).isPresent()) {
            return;
        }
        Counter.builder("codeforge.scaling.decisions")
                .description("Decisions on the number of workers, by reason.")
                .tags(PoolGauges.tags(ResourceID.fromResource(pool)).and("reason", decision.reason()))
                .register(registry)
                .increment();
    }
}
