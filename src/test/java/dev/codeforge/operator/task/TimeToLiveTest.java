package dev.codeforge.operator.task;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.operator.task.status.StatusTransition;
import dev.codeforge.testing.Resources;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** When a finished task is deleted: by its own time to live, or its pool's. */
final class TimeToLiveTest {
    private static final TaskPlan NOTHING = new TaskPlan.UpdateStatus(new StatusTransition.Unchanged());
    private static final TaskPlan DELETE = new TaskPlan.Delete();
    private static final String KEY = "idempotencyKey: k";
    /** It ended two minutes ago. */
    private static final String ENDED = "completionTime: '2026-11-24T11:58:00Z'";

    @Test
    void aTaskThatSaysNothingIsDeletedWhenItsPoolSaysSo() {
        assertThat(pool(60, finished(KEY, "")).plan()).isEqualTo(DELETE);
        assertThat(pool(180, finished(KEY, "")).plan()).isEqualTo(NOTHING);
        assertThat(finished(KEY, "").plan()).isEqualTo(NOTHING);
    }

    @Test
    void itIsLookedAtThen() {
        final Seen seen = pool(180, finished(KEY, ""));
        assertThat(new TaskDeadlines(seen.clocks())
                        .requeueAfter(seen.task, seen.snapshot().pool()))
                .hasValue(Duration.ofMinutes(1).plusMillis(1));
    }

    @Test
    void aTasksOwnTimeWins() {
        assertThat(pool(60, finished(KEY + ", ttlSecondsAfterFinished: 180", ""))
                        .plan())
                .isEqualTo(NOTHING);
        assertThat(pool(180, finished(KEY + ", ttlSecondsAfterFinished: 60", ""))
                        .plan())
                .isEqualTo(DELETE);
    }

    /** A GitOps tool would create it anew, and pay for it again. */
    @Test
    void aTaskWithANameFromAManifestAndWithoutAKeyStays() {
        final Seen seen = pool(60, finished("title: t", ""));
        assertThat(seen.plan()).isEqualTo(NOTHING);
        seen.task.getMetadata().setGenerateName("task-");
        assertThat(seen.plan()).isEqualTo(DELETE);
    }

    @Test
    void aTaskThatIsToRunAgainStays() {
        final Seen seen = pool(60, finished(KEY + ", rerun: 1", ""));
        assertThat(seen.plan()).isEqualTo(seen.publish(2));
    }

    @Test
    void whatThePoolSaysAtTheFirstPublishIsToldAndHolds() {
        final Seen seen = pool(60, Seen.task(KEY).standing(1));
        final AgentTaskStatus status = seen.said();
        assertThat(status.effective().ttlSecondsAfterFinished()).isEqualTo(60);
        assertThat(pool(180, finished(KEY, "effective: {runTimeoutSeconds: 60, ttlSecondsAfterFinished: 60}"))
                        .plan())
                .isEqualTo(DELETE);
        assertThat(pool(60, finished(KEY, "effective: {runTimeoutSeconds: 60}")).plan())
                .isEqualTo(NOTHING);
    }

    @Test
    void aTimeThatIsTakenBackGivesWayToThePools() {
        final String own = "effective: {runTimeoutSeconds: 60, ttlSecondsAfterFinished: 60}";
        final Seen seen = pool(180, finished(KEY, own));
        seen.task.getMetadata().setGeneration(2L);
        assertThat(seen.plan()).isEqualTo(NOTHING);
        seen.status(seen.said());
        assertThat(seen.task.getStatus().effective().ttlSecondsAfterFinished()).isEqualTo(180);
        assertThat(seen.after(Duration.ofMinutes(1)).plan()).isEqualTo(DELETE);
    }

    @Test
    void aTimeThatIsChangedIsTold() {
        final Seen seen = finished(
                KEY + ", ttlSecondsAfterFinished: 3600",
                "effective: {runTimeoutSeconds: 60, ttlSecondsAfterFinished: 60}");
        seen.task.getMetadata().setGeneration(2L);
        assertThat(seen.said().effective().ttlSecondsAfterFinished()).isEqualTo(3600);
    }

    private static Seen finished(String fields, String status) {
        return Seen.task(fields).between("Succeeded", 1, ENDED + (status.isEmpty() ? "" : ", " + status));
    }

    private static Seen pool(int seconds, Seen seen) {
        seen.pool()
                .setSpec(Resources.poolSpec(
                        Map.of("backend", "command", "taskDefaults", Map.of("ttlSecondsAfterFinished", seconds))));
        return seen;
    }
}
