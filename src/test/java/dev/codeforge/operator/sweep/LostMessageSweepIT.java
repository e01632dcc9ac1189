package dev.codeforge.operator.sweep;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.codeforge.api.AgentTask;
import dev.codeforge.testing.ServedPool;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class LostMessageSweepIT {
    private final List<AgentTask> reconciled = new ArrayList<>();
    private ServedPool pool;
    private LostMessageSweep sweep;

    @BeforeEach
    void start() throws Exception {
        pool = new ServedPool();
        sweep = new LostMessageSweep(pool.index(), pool.connections, reconciled::add);
    }

    @AfterEach
    void stop() {
        pool.close();
    }

    @Test
    void aTaskWhoseMessageIsInItsStreamIsLeftAlone() throws Exception {
        final AgentTask task = pool.queued("task", 1, 1);
        pool.publish(task, 1);
        sweep.run();
        assertThat(reconciled).isEmpty();
    }

    @Test
    void aTaskWhoseMessageOrStreamIsGoneIsReconciled() throws Exception {
        final AgentTask purged = pool.queued("purged", 1, 1);
        pool.publish(purged, 1);
        pool.connections.queue().remove(ServedPool.STREAM, 1);
        sweep.run();
        assertThat(reconciled).containsExactly(purged);
        pool.connections.queue().delete(ServedPool.STREAM);
        sweep.run();
        assertThat(reconciled).containsExactly(purged, purged);
    }

    @Test
    void tasksThatAreFinishedOrWaitAreLeftAlone() {
        final String place = "\"attempts\":1,\"queue\":{\"stream\":\"" + ServedPool.STREAM + "\",\"sequence\":1}";
        pool.task("done", "\"phase\":\"Succeeded\"," + place);
        pool.task("pending", "\"phase\":\"Pending\"," + place);
        pool.task("new", "");
        sweep.run();
        assertThat(reconciled).isEmpty();
    }

    @Test
    void aSweepOf2000TasksCostsOneRequest() throws Exception {
        for (int i = 0; i < 2000; i++) {
            pool.publish(pool.queued("task-" + i, 1, i + 1), 1);
        }
        final List<String> requests = pool.requests("$JS.API.>");
        sweep.run();
        assertThat(reconciled).isEmpty();
        await().untilAsserted(() -> assertThat(requests).containsExactly("$JS.API.STREAM.INFO." + ServedPool.STREAM));
    }

    @Test
    void whileNatsIsAwayNothingIsConcluded() throws Exception {
        final AgentTask task = pool.queued(UUID.randomUUID().toString(), 1, 1);
        pool.publish(task, 1);
        pool.server.kill();
        await().until(() -> !pool.connections.isConnected());
        sweep.run();
        assertThat(reconciled).isEmpty();
    }
}
