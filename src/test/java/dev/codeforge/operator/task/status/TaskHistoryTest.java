package dev.codeforge.operator.task.status;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.WorkerPoolSpec;
import dev.codeforge.testing.Resources;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Of a pool's finished tasks the latest are kept. */
final class TaskHistoryTest {
    private static final String KEY = "idempotencyKey: k";

    @Test
    void theOldestThatSucceededGoFirst() {
        final List<AgentTask> tasks =
                List.of(task("b", "Succeeded", 2, KEY), task("d", "Succeeded", 4, KEY), task("a", "Succeeded", 1, KEY));
        assertThat(beyond(Map.of("successfulTasksHistoryLimit", 1), tasks)).containsExactly("a", "b");
        assertThat(beyond(Map.of("successfulTasksHistoryLimit", 3), tasks)).isEmpty();
        assertThat(beyond(Map.of("successfulTasksHistoryLimit", 0), tasks)).containsExactly("a", "b", "d");
    }

    @Test
    void withoutALimitAllStay() {
        final List<AgentTask> tasks = List.of(task("a", "Succeeded", 1, KEY), task("b", "Failed", 2, KEY));
        assertThat(beyond(Map.of(), tasks)).isEmpty();
        assertThat(beyond(Map.of("failedTasksHistoryLimit", 0), tasks)).containsExactly("b");
        assertThat(TaskHistory.isLimited(pool(Map.of()))).isFalse();
        assertThat(TaskHistory.isLimited(pool(Map.of("failedTasksHistoryLimit", 0))))
                .isTrue();
    }

    @Test
    void thoseThatWereCancelledCountAsThoseThatFailed() {
        assertThat(beyond(
                        Map.of("failedTasksHistoryLimit", 1, "successfulTasksHistoryLimit", 1),
                        List.of(
                                task("a", "Cancelled", 1, KEY),
                                task("b", "Succeeded", 2, KEY),
                                task("c", "Failed", 3, KEY),
                                task("d", "Succeeded", 4, KEY))))
                .containsExactly("a", "b");
    }

    @Test
    void whatHasNotEndedOrIsToRunAgainStaysAndCountsForNothing() {
        assertThat(beyond(
                        Map.of("failedTasksHistoryLimit", 1, "successfulTasksHistoryLimit", 1),
                        List.of(
                                task("a", "Running", 1, KEY),
                                task("b", "Suspended", 1, KEY),
                                task("c", "Retrying", 1, KEY),
                                task("d", "Failed", 1, KEY + ", rerun: again"),
                                task("e", "Failed", 2, KEY))))
                .isEmpty();
    }

    /** A GitOps tool would create it anew, and pay for it again. */
    @Test
    void whatHasANameFromAManifestAndNoKeyStaysAndCountsForNothing() {
        final AgentTask generated = task("c", "Succeeded", 3, "title: t");
        generated.getMetadata().setGenerateName("task-");
        assertThat(beyond(
                        Map.of("successfulTasksHistoryLimit", 1),
                        List.of(task("a", "Succeeded", 1, "title: t"), task("b", "Succeeded", 2, KEY), generated)))
                .containsExactly("b");
    }

    @Test
    void whatIsBeingDeletedCountsForNothing() {
        final AgentTask going = task("b", "Succeeded", 2, KEY);
        going.getMetadata().setDeletionTimestamp("2026-11-24T12:00:00Z");
        assertThat(beyond(Map.of("successfulTasksHistoryLimit", 1), List.of(task("a", "Succeeded", 1, KEY), going)))
                .isEmpty();
    }

    private static List<String> beyond(Map<String, Object> limits, List<AgentTask> tasks) {
        return TaskHistory.beyond(pool(limits), tasks).stream()
                .map(task -> task.getMetadata().getName())
                .toList();
    }

    private static WorkerPoolSpec pool(Map<String, Object> limits) {
        return Resources.poolSpec(limits);
    }

    private static AgentTask task(String name, String phase, int minute, String fields) {
        final AgentTask task = Resources.task("ns", name, "pool", fields);
        task.setStatus(Resources.of(
                AgentTaskStatus.class,
                "{observedGeneration: 1, phase: " + phase + ", completionTime: '2026-11-24T11:0" + minute + ":00Z'}"));
        return task;
    }
}
