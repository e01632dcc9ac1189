package dev.codeforge.e2e;

import static dev.codeforge.testing.Patience.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import java.time.Duration;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** What may be asked of a task, in pods. */
final class SteeringE2E {
    @AutoClose
    private final Platform platform = new Platform();

    @Test
    void aFailedAttemptIsTriedAgain() {
        platform.pool("pool", 1, "test \"$CODEFORGE_ATTEMPT\" = 2");
        platform.task("task", "pool", "retry: {maxAttempts: 3, backoffSeconds: 1}");
        final AgentTaskStatus status = platform.awaitFinished("task");
        assertThat(status.phase()).as("%s", status.error()).isEqualTo(Phase.Succeeded);
        assertThat(status.attempts()).isEqualTo(2);
        assertThat(status.failedAttempts()).isEqualTo(1);
        assertThat(status.history())
                .extracting(AgentTaskStatus.HistoryEntry::outcome)
                .containsExactly(Phase.Failed, Phase.Succeeded);
    }

    @Test
    void aRunningTaskIsCancelledHeldBackAndRunAgain() {
        platform.pool("pool", 1, "test \"$CODEFORGE_ATTEMPT\" = 3 || sleep 300");
        platform.task("task", "pool");
        platform.awaitPhase("task", Phase.Running);
        platform.patch("task", "{\"suspend\": true}");
        platform.awaitPhase("task", Phase.Suspended);
        platform.patch("task", "{\"suspend\": false}");
        platform.awaitPhase("task", Phase.Running);
        platform.patch("task", "{\"cancel\": true}");
        assertThat(platform.awaitFinished("task").phase()).isEqualTo(Phase.Cancelled);
        platform.patch("task", "{\"cancel\": false, \"rerun\":\"1\"}");
        platform.awaitPhase("task", Phase.Succeeded);
        assertThat(platform.status("task").attempts()).isEqualTo(3);
    }

    @Test
    void aTaskThatExpiredAndIsAppliedAgainTakesItsOutcome() {
        platform.pool("pool", 1, "cat");
        platform.task("task", "pool", "idempotencyKey: k, ttlSecondsAfterFinished: 1");
        await().atMost(PATIENCE)
                .until(() -> platform.client
                                .resources(AgentTask.class)
                                .inNamespace(platform.namespace)
                                .withName("task")
                                .get()
                        == null);
        platform.task("task", "pool", "idempotencyKey: k");
        final AgentTaskStatus status = platform.awaitFinished("task");
        assertThat(status.phase()).isEqualTo(Phase.Succeeded);
        assertThat(status.attempts()).isZero();
        assertThat(status.result().output()).contains("prompt of task");
    }

    @Test
    void aNamespaceWithATaskInEveryPhaseIsDeletedWithoutWaiting() {
        platform.pool("pool", 1, "sleep 300");
        platform.task("running", "pool");
        platform.awaitPhase("running", Phase.Running);
        platform.task("queued", "pool");
        platform.awaitPhase("queued", Phase.Queued);
        platform.task("suspended", "pool", "suspend: true");
        platform.awaitPhase("suspended", Phase.Suspended);
        platform.task("pending", "no-such-pool");
        platform.awaitPhase("pending", Phase.Pending);
        platform.client.namespaces().withName(platform.namespace).delete();
        // Kubernetes itself asks again for what is left only after half of the pods' grace period, a minute.
        await().atMost(Duration.ofSeconds(180))
                .until(() -> platform.client
                                .namespaces()
                                .withName(platform.namespace)
                                .get()
                        == null);
    }
}
