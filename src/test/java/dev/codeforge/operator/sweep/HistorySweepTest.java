package dev.codeforge.operator.sweep;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.operator.index.PoolIndex;
import dev.codeforge.operator.index.TaskIndex;
import dev.codeforge.testing.InMemoryCache;
import dev.codeforge.testing.Resources;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Each pool's history is tidied by its own limits. */
final class HistorySweepTest {
    private final InMemoryCache<WorkerPool> pools = new InMemoryCache<>(Map.of());
    private final InMemoryCache<AgentTask> tasks = new InMemoryCache<>(Map.of());
    private final List<String> deleted = new ArrayList<>();

    @Test
    void onlyThePoolsThatHaveALimitAreTidied() {
        pool("limited", Map.of("successfulTasksHistoryLimit", 1));
        pool("unlimited", Map.of());
        succeeded("limited", 3);
        succeeded("unlimited", 3);
        sweep().run();
        assertThat(deleted).containsExactly("limited-000", "limited-001");
    }

    @Test
    void manyAreDeletedInSeveralRounds() {
        pool("limited", Map.of("successfulTasksHistoryLimit", 0));
        succeeded("limited", 450);
        final HistorySweep sweep = sweep();
        sweep.run();
        assertThat(deleted).hasSize(200).startsWith("limited-000");
        sweep.run();
        sweep.run();
        assertThat(deleted).hasSize(450);
    }

    @Test
    void aPoolWhoseTasksCannotBeDeletedLeavesTheOthersToTheirs() {
        pool("a", Map.of("successfulTasksHistoryLimit", 0));
        pool("b", Map.of("successfulTasksHistoryLimit", 0));
        succeeded("a", 2);
        succeeded("b", 2);
        new HistorySweep(new TaskIndex().in(tasks), new PoolIndex().in(pools), task -> {
                    if (task.getMetadata().getName().startsWith("a")) {
                        throw new KubernetesClientException("as the test wants it");
                    }
                    return deleted.add(task.getMetadata().getName());
                })
                .run();
        assertThat(deleted).containsExactly("b-000", "b-001");
    }

    private HistorySweep sweep() {
        return new HistorySweep(new TaskIndex().in(tasks), new PoolIndex().in(pools), task -> {
            tasks.remove(task);
            return deleted.add(task.getMetadata().getName());
        });
    }

    private void pool(String name, Map<String, Object> limits) {
        final WorkerPool pool = Resources.pool("ns", name, null);
        pool.setSpec(Resources.poolSpec(limits));
        pools.put(pool);
    }

    private void succeeded(String pool, int count) {
        for (int i = 0; i < count; i++) {
            final AgentTask task = Resources.task("ns", "%s-%03d".formatted(pool, i), pool, "idempotencyKey: key-" + i);
            task.setStatus(Resources.of(
                    AgentTaskStatus.class,
                    "{observedGeneration: 1, phase: Succeeded, completionTime: '2026-11-24T11:%02d:%02dZ'}"
                            .formatted(i / 60, i % 60)));
            tasks.put(task);
        }
    }
}
