package dev.codeforge.operator.pool;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.operator.scaling.DemandWindow;
import dev.codeforge.testing.Resources;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

final class PoolMemoriesTest {
    private static final DemandWindow WINDOW =
            DemandWindow.EMPTY.add(Instant.parse("2026-11-24T12:00:00Z"), 3, Duration.ofMinutes(1));

    private final PoolMemories memories = new PoolMemories();
    private final WorkerPool pool = Resources.pool("ns", "pool", null);

    @Test
    void aPoolIsRememberedUntilItIsForgotten() {
        memories.of(pool).decided(WINDOW);
        assertThat(memories.of(pool).demand()).isEqualTo(WINDOW);
        memories.forget(pool);
        assertThat(memories.of(pool).demand()).isEqualTo(DemandWindow.EMPTY);
    }

    @Test
    void aPoolOfTheSameNameIsAnother() {
        memories.of(pool).decided(WINDOW);
        final WorkerPool namesake = Resources.pool("ns", "pool", null);
        namesake.getMetadata().setUid("another");
        assertThat(memories.of(namesake).demand()).isEqualTo(DemandWindow.EMPTY);
        memories.forget(namesake);
        assertThat(memories.of(pool).demand()).isEqualTo(WINDOW);
    }

    @Test
    void aChangeThatIsReportedBeforeTheFirstReconcileIsNotLost() {
        memories.queueChanged(ResourceID.fromResource(pool));
        memories.of(pool);
        assertThat(memories.hasQueueChanged(pool)).isTrue();
        assertThat(memories.hasQueueChanged(pool)).isFalse();
    }
}
