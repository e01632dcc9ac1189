package dev.codeforge.operator.results;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.codeforge.api.AgentTask;
import dev.codeforge.jetstream.QueueUnavailableException;
import dev.codeforge.operator.index.TaskIndex;
import dev.codeforge.testing.Events;
import dev.codeforge.testing.ServedPool;
import dev.codeforge.wire.Subjects;
import dev.codeforge.wire.TaskEvent;
import dev.codeforge.wire.TaskEvent.Kind;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class TaskResultsIT {
    private final List<ResourceID> reconciled = new CopyOnWriteArrayList<>();
    private ServedPool pool;
    private TaskResults results;

    @BeforeEach
    void start() throws Exception {
        pool = new ServedPool();
        results = operator();
    }

    private TaskResults operator() {
        final TaskResults made = new TaskResults(pool.connections, pool.key, pool.index(), (event, sequence) -> {});
        made.setEventHandler(event -> reconciled.add(event.getRelatedCustomResourceID()));
        made.start();
        return made;
    }

    @AfterEach
    void stop() {
        results.end();
        pool.close();
    }

    @Test
    void aThousandEventsComeInOrderAndEachTaskKeepsItsLast() {
        final List<AgentTask> tasks = IntStream.range(0, 500)
                .mapToObj(number -> pool.queued("task-" + number, 1, number + 1))
                .toList();
        for (final Kind kind : List.of(Kind.RUNNING, Kind.COMPLETED)) {
            tasks.forEach(task -> pool.report(Events.of(task, kind)));
        }
        results.begin();
        await().untilAsserted(() -> assertThat(tasks).allSatisfy(task -> assertThat(results.getSecondaryResources(task))
                .extracting(TaskEvent::kind)
                .containsExactly(Kind.COMPLETED)));
        assertThat(results.isAlive()).isTrue();
    }

    @Test
    void theNextLeaderGetsAtOnceWhatWasNotAcknowledged() {
        final AgentTask task = pool.queued("task", 1, 1);
        results.begin();
        await().until(() -> results.isAlive());
        results.end();
        final TaskResults next = operator();
        pool.report(Events.of(task, Kind.COMPLETED));
        next.begin();
        await().until(() -> next.isAhead(task));
        next.end();
    }

    @Test
    void anOutcomeThatWasNotAppliedIsFoundByTheSweep() {
        final AgentTask task = pool.queued("task", 1, 1);
        pool.report(Events.of(task, Kind.COMPLETED));
        results.sweep();
        assertThat(reconciled).containsExactly(ResourceID.fromResource(task));
    }

    @Test
    void aRunThatIsNotShownIsFoundByTheSweep() {
        final AgentTask task = pool.queued("task", 1, 1);
        pool.report(Events.of(task, Kind.RUNNING));
        results.sweep();
        assertThat(reconciled).containsExactly(ResourceID.fromResource(task));
    }

    @Test
    void anEventWithoutAProofIsNothingToTheSweep() {
        final AgentTask task = pool.queued("task", 1, 1);
        final TaskEvent forged = Events.of(task, Kind.COMPLETED);
        pool.connections.results().append(TaskIndex.ref(task), forged.eventId(), forged.toJson(), "0".repeat(64), 0);
        results.sweep();
        assertThat(reconciled).isEmpty();
    }

    @Test
    void tasksThatAreFinishedOrWaitAreNothingToTheSweep() {
        final String place = "\"attempts\":1,\"queue\":{\"stream\":\"" + ServedPool.STREAM + "\",\"sequence\":1}";
        pool.report(Events.of(pool.task("done", "\"phase\":\"Succeeded\"," + place), Kind.COMPLETED));
        pool.report(Events.of(pool.task("pending", "\"phase\":\"Pending\"," + place), Kind.FAILED));
        pool.task("new", "");
        results.sweep();
        assertThat(reconciled).isEmpty();
    }

    @Test
    void aSweepOf2000TasksCostsTwoRequests() throws Exception {
        for (int i = 0; i < 2000; i++) {
            pool.queued("task-" + i, 1, i + 1);
        }
        final List<String> requests = pool.requests("$JS.API.>");
        results.sweep();
        assertThat(reconciled).isEmpty();
        final String direct = "$JS.API.DIRECT.GET." + Subjects.EVENTS_STREAM;
        await().untilAsserted(() -> assertThat(requests).containsExactly(direct, direct));
    }

    @Test
    void whileNatsIsAwayTheSweepConcludesNothing() {
        pool.queued("task", 1, 1);
        pool.server.kill();
        await().until(() -> !pool.connections.isConnected());
        assertThatThrownBy(results::sweep).isInstanceOf(QueueUnavailableException.class);
        assertThat(reconciled).isEmpty();
    }
}
