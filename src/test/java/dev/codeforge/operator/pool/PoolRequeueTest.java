package dev.codeforge.operator.pool;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.api.WorkerPoolSpec;
import dev.codeforge.testing.Resources;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class PoolRequeueTest {
    private final PoolMemories memories = new PoolMemories();
    private final PoolRequeue next = new PoolRequeue(memories);
    private final WorkerPool pool = Resources.pool("ns", "pool", new WorkerPoolSpec.Scaling(0, 5, null, null, null));

    @Test
    void aMessageThatTheConsumerMayNotHaveCountedIsLookedForOnceMoreAndThenByTheTick() {
        memories.queueChanged(ResourceID.fromResource(pool));
        assertThat(next.in(pool, PoolRequeue.After.A_RECONCILE)).isEqualTo(Duration.ofMillis(100));
        assertThat(next.in(pool, PoolRequeue.After.A_RECONCILE)).isEqualTo(PoolRequeue.TICK);
    }

    @Test
    void aFixedPoolCountsNothing() {
        final WorkerPool fixed = Resources.pool("ns", "fixed", null);
        memories.queueChanged(ResourceID.fromResource(fixed));
        assertThat(next.in(fixed, PoolRequeue.After.NOTHING_TO_FOLLOW)).isEqualTo(Duration.ofSeconds(10));
    }

    @Test
    void aFixedPoolThatGivesEachTaskAWorkerIsLookedAtOnceMoreToFindItSpent() {
        final WorkerPool fixed = Resources.pool("ns", "fixed", null);
        fixed.setSpec(Resources.poolSpec(Map.of("backend", "command", "isolation", Map.of("workerPerTask", true))));
        memories.queueChanged(ResourceID.fromResource(fixed));
        assertThat(next.in(fixed, PoolRequeue.After.A_RECONCILE)).isEqualTo(Duration.ofMillis(100));
    }

    @Test
    void theStatusTellsOfAGrowthSoon() {
        assertThat(next.in(pool, PoolRequeue.After.GROWTH)).isEqualTo(Duration.ofMillis(200));
    }

    @Test
    void whatWasToldOfAPoolThatIsGoneIsForgotten() {
        memories.queueChanged(ResourceID.fromResource(pool));
        memories.forget(pool);
        assertThat(next.in(pool, PoolRequeue.After.A_RECONCILE)).isEqualTo(PoolRequeue.TICK);
    }
}
