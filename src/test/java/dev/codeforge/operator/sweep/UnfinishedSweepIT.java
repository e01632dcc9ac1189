package dev.codeforge.operator.sweep;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.codeforge.api.AgentTask;
import dev.codeforge.jetstream.QueueUnavailableException;
import dev.codeforge.operator.task.TaskIndex;
import dev.codeforge.testing.Events;
import dev.codeforge.testing.ServedPool;
import dev.codeforge.wire.Subjects;
import dev.codeforge.wire.TaskEvent;
import dev.codeforge.wire.TaskEvent.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class UnfinishedSweepIT {
    private final List<AgentTask> seen = new ArrayList<>();
    private ServedPool pool;
    private UnfinishedSweep sweep;

    @BeforeEach
    void start() throws Exception {
        pool = new ServedPool();
        sweep = new UnfinishedSweep(
                pool::index, pool.connections, new LastEvents(pool.connections, pool.key), seen::add);
    }

    @AfterEach
    void stop() {
        pool.close();
    }

    @Test
    void aTaskThatStandsIsNotLookedAt() throws Exception {
        final AgentTask task = pool.queued("task", 1, 1);
        pool.publish(task, 1);
        sweep.run();
        assertThat(seen).isEmpty();
    }

    @Test
    void aTaskWhoseMessageOrStreamIsGoneIsLookedAt() throws Exception {
        final AgentTask purged = pool.queued("purged", 1, 1);
        pool.publish(purged, 1);
        pool.connections.queue().remove(ServedPool.STREAM, 1);
        sweep.run();
        assertThat(seen).containsExactly(purged);
        pool.connections.queue().delete(ServedPool.STREAM);
        sweep.run();
        assertThat(seen).containsExactly(purged, purged);
    }

    @Test
    void aTaskWhoseOutcomeWasNotAppliedIsLookedAtOnce() throws Exception {
        final AgentTask task = pool.queued("task", 1, 1);
        pool.publish(task, 1);
        pool.connections.queue().remove(ServedPool.STREAM, 1);
        pool.report(Events.of(task, Kind.COMPLETED));
        sweep.run();
        assertThat(seen).containsExactly(task);
    }

    @Test
    void aRunThatIsNotShownIsLookedAt() throws Exception {
        final AgentTask task = pool.queued("task", 1, 1);
        pool.publish(task, 1);
        pool.report(Events.of(task, Kind.RUNNING));
        sweep.run();
        assertThat(seen).containsExactly(task);
    }

    @Test
    void anEventWithoutAProofIsNoNews() throws Exception {
        final AgentTask task = pool.queued("task", 1, 1);
        pool.publish(task, 1);
        final TaskEvent forged = Events.of(task, Kind.COMPLETED);
        pool.connections.results().append(TaskIndex.ref(task), forged.eventId(), forged.toJson(), "0".repeat(64), 0);
        sweep.run();
        assertThat(seen).isEmpty();
    }

    @Test
    void tasksThatAreFinishedOrWaitAreNotLookedAt() throws Exception {
        final String place = "\"attempts\":1,\"queue\":{\"stream\":\"" + ServedPool.STREAM + "\",\"sequence\":1}";
        pool.report(Events.of(pool.task("done", "\"phase\":\"Succeeded\"," + place), Kind.COMPLETED));
        pool.report(Events.of(pool.task("pending", "\"phase\":\"Pending\"," + place), Kind.FAILED));
        pool.task("new", "");
        sweep.run();
        assertThat(seen).isEmpty();
    }

    @Test
    void aLookAt2000TasksCostsThreeRequests() throws Exception {
        for (int i = 0; i < 2000; i++) {
            pool.publish(pool.queued("task-" + i, 1, i + 1), 1);
        }
        final List<String> requests = pool.requests("$JS.API.>");
        sweep.run();
        assertThat(seen).isEmpty();
        await().untilAsserted(() -> assertThat(requests)
                .containsExactlyInAnyOrder(
                        "$JS.API.STREAM.INFO." + ServedPool.STREAM,
                        "$JS.API.DIRECT.GET." + Subjects.EVENTS_STREAM,
                        "$JS.API.DIRECT.GET." + Subjects.EVENTS_STREAM));
    }

    @Test
    void whileNatsIsAwayNothingIsConcluded() throws Exception {
        final AgentTask task = pool.queued(UUID.randomUUID().toString(), 1, 1);
        pool.publish(task, 1);
        pool.server.kill();
        await().until(() -> !pool.connections.isConnected());
        Assertions.assertThatThrownBy(sweep::run).isInstanceOf(QueueUnavailableException.class);
        assertThat(seen).isEmpty();
    }
}
