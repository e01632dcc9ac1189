package dev.codeforge.operator.sweep;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.AgentTask;
import dev.codeforge.operator.results.DeletedTaskEnd;
import dev.codeforge.operator.results.OperatorEvents;
import dev.codeforge.testing.Events;
import dev.codeforge.testing.FaultyApiServer;
import dev.codeforge.testing.Resources;
import dev.codeforge.testing.ServedPool;
import dev.codeforge.wire.Headers;
import dev.codeforge.wire.TaskEvent.Kind;
import io.fabric8.kubernetes.client.dsl.base.CustomResourceDefinitionContext;
import java.time.Clock;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class OrphanSweepIT {
    private static final String SUCCEEDED = "\"phase\":\"Succeeded\",\"attempts\":2";
    private final FaultyApiServer apiServer =
            new FaultyApiServer(CustomResourceDefinitionContext.fromCustomResourceType(AgentTask.class));
    private ServedPool pool;
    private OrphanSweep sweep;

    @BeforeEach
    void start() throws Exception {
        pool = new ServedPool();
        sweep = new OrphanSweep(
                pool.index(),
                pool.poolIndex(),
                apiServer.client(),
                pool.connections,
                new DeletedTaskEnd(pool.connections, new OperatorEvents(pool.key, Clock.systemUTC())),
                ServedPool.INSTALLATION);
    }

    @AfterEach
    void stop() {
        pool.close();
        apiServer.close();
    }

    @Test
    void theMessageOfATaskThatHasEndedGoes() throws Exception {
        final AgentTask task = pool.task("task", SUCCEEDED);
        pool.report(Events.of(task, Kind.COMPLETED, 2, 1));
        pool.publish(task, 2);
        sweep.run();
        assertThat(pool.queue.messages()).isZero();
    }

    @Test
    void itGoesAlsoWhenTheEventsHaveAgedOut() throws Exception {
        pool.publish(pool.task("task", SUCCEEDED), 1);
        sweep.run();
        assertThat(pool.queue.messages()).isZero();
    }

    @Test
    void theMessageOfARerunStays() throws Exception {
        final AgentTask task = pool.task("task", SUCCEEDED);
        pool.report(Events.of(task, Kind.COMPLETED, 2, 1));
        pool.publish(task, 3);
        sweep.run();
        assertThat(pool.queue.messages()).isEqualTo(1);
    }

    @Test
    void aRunThatNoStatusTellsOfIsLeftToItsWorker() throws Exception {
        final AgentTask task = pool.task("task", SUCCEEDED);
        pool.report(Events.of(task, Kind.RUNNING, 2, 1));
        pool.publish(task, 2);
        sweep.run();
        assertThat(pool.queue.messages()).isEqualTo(1);
    }

    @Test
    void anUnfinishedTasksMessageStays() throws Exception {
        pool.publish(pool.queued("task", 1, 1), 1);
        sweep.run();
        assertThat(pool.queue.messages()).isEqualTo(1);
    }

    @Test
    void whatAnotherPublishedStays() throws Exception {
        final AgentTask task = pool.task("task", SUCCEEDED);
        pool.queue.publishOutside("outside");
        pool.queue.publishOurs(task.uid(), "another-cluster", 1, "");
        pool.queue.publishOurs("5e0b8f9f-5c3c-4e4b-9d07-b3bd6c1b9f0a", "", 1, "");
        sweep.run();
        assertThat(pool.queue.messages()).isEqualTo(3);
    }

    @Test
    void aMessageThatOnlyBearsOurIdStaysAndHindersNothing() throws Exception {
        final io.nats.client.impl.Headers headers = new io.nats.client.impl.Headers();
        headers.put(Headers.INSTALLATION, ServedPool.INSTALLATION);
        pool.client
                .jetStream()
                .publish("tasks.test.pool.0", headers, "{}".getBytes(java.nio.charset.StandardCharsets.UTF_8));
        final AgentTask gone = Resources.task(ServedPool.NAMESPACE, "gone", ServedPool.POOL);
        pool.publish(gone, 1);
        sweep.run();
        assertThat(pool.queue.messages()).isEqualTo(1);
        assertThat(pool.lastEvent(gone.uid())).isPresent();
    }

    @Test
    void theMessageOfATaskThatIsGoneEndsAsDeleted() throws Exception {
        final AgentTask gone = Resources.task(ServedPool.NAMESPACE, "gone", ServedPool.POOL);
        pool.publish(gone, 1);
        sweep.run();
        assertThat(pool.queue.messages()).isZero();
        assertThat(pool.lastEvent(gone.uid()).orElseThrow().failure().type()).isEqualTo("TaskDeleted");
    }

    @Test
    void theWorkerOfATaskThatIsGoneIsAskedToStopAndWritesTheEnd() throws Exception {
        final AgentTask gone = Resources.task(ServedPool.NAMESPACE, "gone", ServedPool.POOL);
        pool.publish(gone, 2);
        pool.report(Events.of(gone, Kind.RUNNING, 2, 1));
        final List<String> orders = pool.answerControl(gone, "{\"worker\": \"worker-0\", \"accepted\": true}");
        sweep.run();
        assertThat(orders).singleElement().asString().contains("\"TaskDeleted\"", "\"attempt\":2");
        assertThat(pool.lastEvent(gone.uid()).orElseThrow().isTerminal()).isFalse();
        assertThat(pool.queue.messages()).isEqualTo(1);
    }

    @Test
    void theRunOfATaskThatIsGoneEndsThoughItsWorkerHoldsAnother() throws Exception {
        final AgentTask gone = Resources.task(ServedPool.NAMESPACE, "gone", ServedPool.POOL);
        pool.publish(gone, 2);
        pool.report(Events.of(gone, Kind.RUNNING, 2, 1));
        pool.answerControl(gone, "{\"worker\": \"worker-0\", \"accepted\": false}");
        sweep.run();
        assertThat(pool.lastEvent(gone.uid()).orElseThrow().failure().type()).isEqualTo("TaskDeleted");
        assertThat(pool.queue.messages()).isZero();
    }

    @Test
    void whatWaitsForATaskThatIsGoneGoesBeforeItsWorkerIsFreed() throws Exception {
        final AgentTask running = Resources.task(ServedPool.NAMESPACE, "running", ServedPool.POOL);
        final AgentTask waiting = Resources.task(ServedPool.NAMESPACE, "waiting", ServedPool.POOL);
        pool.publish(running, 1);
        pool.report(Events.of(running, Kind.RUNNING, 1, 1));
        pool.publish(waiting, 1);
        sweep.withdrawWaiting(pool.resource());
        assertThat(pool.lastEvent(waiting.uid()).orElseThrow().isTerminal()).isTrue();
        assertThat(pool.lastEvent(running.uid()).orElseThrow().isTerminal()).isFalse();
        sweep.run();
        assertThat(pool.lastEvent(running.uid()).orElseThrow().isTerminal()).isTrue();
        assertThat(pool.queue.messages()).isZero();
    }
}
