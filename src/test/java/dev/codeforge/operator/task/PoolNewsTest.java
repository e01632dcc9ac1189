package dev.codeforge.operator.task;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.api.WorkerPoolStatus;
import dev.codeforge.testing.Resources;
import org.junit.jupiter.api.Test;

/** Which changes of a pool trigger the tasks that wait for it. */
final class PoolNewsTest {
    private final WorkerPool before = pool("True", 3, 1);

    private static WorkerPool pool(String ready, int waiting, int running) {
        final WorkerPool pool = Resources.pool("ns", "pool", null);
        pool.getMetadata().setGeneration(1L);
        pool.setStatus(Resources.of(
                WorkerPoolStatus.class,
                """
                observedGeneration: 1
                queue: {stream: tasks_ns_pool, subject: tasks.ns.pool, waiting: %d, running: %d}
                conditions: [{type: QueueReady, status: '%s', reason: R}]
                """
                        .formatted(waiting, running, ready)));
        return pool;
    }

    @Test
    void aLongerQueueIsNoNews() {
        assertThat(PoolNews.concernsTasks(pool("True", 4, 1), before)).isFalse();
    }

    @Test
    void aTaskThatAWorkerTakesIsNoNews() {
        assertThat(PoolNews.concernsTasks(pool("True", 2, 2), before)).isFalse();
    }

    @Test
    void aShorterQueueIsNews() {
        assertThat(PoolNews.concernsTasks(pool("True", 3, 0), before)).isTrue();
    }

    @Test
    void aQueueThatBecomesReadyOrIsNotAnyMoreIsNews() {
        final WorkerPool broken = pool("False", 3, 1);
        assertThat(PoolNews.concernsTasks(before, broken)).isTrue();
        assertThat(PoolNews.concernsTasks(broken, before)).isTrue();
    }

    @Test
    void aSpecThatChangesIsNews() {
        final WorkerPool edited = pool("True", 3, 1);
        edited.getMetadata().setGeneration(2L);
        assertThat(PoolNews.concernsTasks(edited, before)).isTrue();
    }

    @Test
    void aPoolThatEndsIsNews() {
        final WorkerPool ending = pool("True", 3, 1);
        ending.getMetadata().setDeletionTimestamp("2026-11-24T10:00:00Z");
        assertThat(PoolNews.concernsTasks(ending, before)).isTrue();
    }

    @Test
    void aFirstStatusIsNews() {
        final WorkerPool unseen = Resources.pool("ns", "pool", null);
        unseen.getMetadata().setGeneration(1L);
        assertThat(PoolNews.concernsTasks(before, unseen)).isTrue();
    }
}
