package dev.codeforge.e2e;

import static dev.codeforge.testing.Patience.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import dev.codeforge.wire.Subjects;
import dev.codeforge.wire.TaskEvent;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** Tasks reach their end once, whatever is killed on the way. */
final class DeliveryE2E {
    @AutoClose
    private final Platform platform = new Platform();

    @Test
    void aTaskRunsInAPodOfAPoolThatComesFromZeroAndGoesBackToZero() {
        platform.pool("pool", 1, "echo working; cat");
        platform.awaitReady("pool", "ScaledToZero");
        final AgentTask task = platform.task("task", "pool");
        final AgentTaskStatus status = platform.awaitFinished("task");
        assertThat(status.phase()).isEqualTo(Phase.Succeeded);
        assertThat(status.result().output()).contains("working").contains("prompt of task");
        assertThat(platform.client
                        .pods()
                        .inNamespace(platform.namespace)
                        .withName(status.podName())
                        .getLog())
                .contains("[" + task.getMetadata().getUid() + "] working");
        platform.awaitWorkers("pool", 0);
    }

    @Test
    void aHundredTasksOnFiveWorkersAllSucceedAndEachIsRunOnce() throws Exception {
        platform.pool("pool", 5, "cat");
        platform.awaitReady("pool", "ScaledToZero");
        final AtomicInteger mostWorkers = new AtomicInteger();
        final var watching = platform.client
                .apps()
                .deployments()
                .inNamespace(platform.namespace)
                .withName("pool-workers")
                .inform(new ResourceEventHandler<>() {
                    @Override
                    public void onAdd(Deployment workers) {
                        mostWorkers.accumulateAndGet(workers.getSpec().getReplicas(), Math::max);
                    }

                    @Override
                    public void onUpdate(Deployment before, Deployment workers) {
                        onAdd(workers);
                    }

                    @Override
                    public void onDelete(Deployment workers, boolean unknown) {}
                });
        final List<AgentTask> tasks = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            tasks.add(platform.task("task-" + i, "pool"));
        }
        for (int i = 0; i < 100; i++) {
            final AgentTaskStatus status = platform.awaitFinished("task-" + i);
            assertThat(status.phase()).as("task-%d: %s", i, status.error()).isEqualTo(Phase.Succeeded);
            assertThat(status.attempts()).isEqualTo(1);
            assertThat(status.deliveries()).isEqualTo(1);
        }
        watching.close();
        assertThat(mostWorkers).hasValue(5);
        try (Platform.NatsAccess nats = platform.nats()) {
            int runs = 0;
            for (final AgentTask task : tasks) {
                runs += runs(nats, task.getMetadata().getUid());
            }
            assertThat(runs).isEqualTo(100);
        }
    }

    private static int runs(Platform.NatsAccess nats, String uid) throws Exception {
        final var management = nats.connection().jetStreamManagement();
        final long last = management
                .getLastMessage(Subjects.RESULTS_STREAM, Subjects.results(uid))
                .getSeq();
        int runs = 0;
        long from = 1;
        while (from <= last) {
            final var message = management.getNextMessage(Subjects.RESULTS_STREAM, from, Subjects.results(uid));
            if (TaskEvent.parse(message.getData()).kind() == TaskEvent.Kind.RUNNING) {
                runs++;
            }
            from = message.getSeq() + 1;
        }
        return runs;
    }

    @Test
    void aTaskWhosePodIsRemovedIsFinishedByAnotherAndTheRunDoesNotCount() {
        platform.pool("pool", 2, "sleep 8; cat");
        platform.task("task", "pool");
        platform.awaitPhase("task", Phase.Running);
        final String first = platform.status("task").podName();
        platform.kill(platform.namespace, first);
        final AgentTaskStatus status = platform.awaitFinished("task");
        assertThat(status.phase()).as("%s", status.error()).isEqualTo(Phase.Succeeded);
        assertThat(status.podName()).isNotEqualTo(first);
        assertThat(status.attempts()).isEqualTo(1);
        assertThat(status.deliveries()).isEqualTo(1);
        final AgentTaskStatus.HistoryEntry released = status.history().getFirst();
        assertThat(released.outcome()).isEqualTo(Phase.Queued);
        assertThat(released.podName()).isEqualTo(first);
        // The kubelet may still end the worker gently, and the worker then releases its task itself.
        assertThat(released.error().type()).isIn("Disrupted", "Released");
    }

    @Test
    void deletingARunningTaskStopsItsAgent() {
        platform.pool("pool", 1, "sleep 300");
        final AgentTask task = platform.task("task", "pool");
        platform.awaitPhase("task", Phase.Running);
        platform.client.resource(task).delete();
        // Only an idle pool goes back to zero.
        await().atMost(PATIENCE)
                .until(() -> platform.poolStatus("pool").queue().running() == 0
                        && platform.poolStatus("pool").scaling().desired() == 0);
    }
}
