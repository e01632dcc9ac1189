package dev.codeforge.operator.results;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.operator.index.TaskIndex;
import dev.codeforge.testing.Events;
import dev.codeforge.testing.FakeConnections;
import dev.codeforge.testing.InMemoryCache;
import dev.codeforge.testing.Resources;
import dev.codeforge.wire.DispatchKey;
import dev.codeforge.wire.TaskEvent;
import dev.codeforge.wire.TaskEvent.Kind;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class TaskResultsTest {
    private static final String QUEUED = "phase: Queued\nattempts: 1\ndeliveries: 0\n";
    private static final String RUNNING = "phase: Running\nattempts: 1\ndeliveries: 1\npodName: worker-0\n";

    private final DispatchKey key = new DispatchKey(new byte[32]);
    private final FakeConnections nats = new FakeConnections(key);
    private final InMemoryCache<AgentTask> cache = new InMemoryCache<>(Map.of());
    private final List<Kind> heard = new ArrayList<>();
    private final List<ResourceID> reconciled = new ArrayList<>();
    private final TaskResults results =
            new TaskResults(nats, key, new TaskIndex().in(cache), (event, sequence) -> heard.add(event.kind()));

    @BeforeEach
    void begin() {
        results.setEventHandler(event -> reconciled.add(event.getRelatedCustomResourceID()));
        results.start();
        results.begin();
    }

    @AfterEach
    void end() {
        results.end();
    }

    private AgentTask task(String name, String status) {
        final AgentTask task = Resources.task("ns", name, "pool");
        task.setStatus(Serialization.unmarshal(status, AgentTaskStatus.class));
        cache.put(task);
        return task;
    }

    @Test
    void anOutcomeReconcilesItsTaskAndIsAcknowledgedWhenTheStatusIsStored() {
        final AgentTask task = task("task", RUNNING);
        final long outcome = nats.report(Events.of(task, Kind.COMPLETED));
        assertThat(reconciled).containsExactly(ResourceID.fromResource(task));
        assertThat(nats.acknowledged()).isEmpty();
        results.settle(task, outcome - 1);
        assertThat(nats.acknowledged()).isEmpty();
        results.settle(task, outcome);
        results.settle(task, outcome);
        assertThat(nats.acknowledged()).containsExactly(outcome);
        assertThat(results.isAhead(task)).isFalse();
    }

    @Test
    void progressThatTheStatusWouldNotShowReconcilesNothing() {
        final AgentTask task = task("task", RUNNING);
        final long progress = nats.report(Events.of(task, Kind.PROGRESS));
        assertThat(reconciled).isEmpty();
        assertThat(nats.acknowledged()).containsExactly(progress);
        assertThat(heard).containsExactly(Kind.PROGRESS);
    }

    @Test
    void aSupersededEventIsAcknowledgedAtOnce() {
        final AgentTask task = task("task", QUEUED);
        final long running = nats.report(Events.of(task, Kind.RUNNING));
        final long outcome = nats.report(Events.of(task, Kind.COMPLETED));
        assertThat(nats.acknowledged()).containsExactly(running);
        assertThat(results.getSecondaryResources(task))
                .extracting(TaskEvent::kind)
                .containsExactly(Kind.COMPLETED);
        results.settle(task, Long.MAX_VALUE);
        assertThat(nats.acknowledged()).containsExactly(running, outcome);
    }

    @Test
    void aRedeliveredEventIsKeptOnceAndAnEarlierOneNotAgain() {
        final AgentTask task = task("task", QUEUED);
        final long running = nats.report(Events.of(task, Kind.RUNNING));
        nats.redeliver(running);
        assertThat(nats.acknowledged()).isEmpty();
        final long outcome = nats.report(Events.of(task, Kind.COMPLETED));
        nats.redeliver(running);
        assertThat(nats.acknowledged()).containsExactly(running, running);
        results.settle(task, outcome);
        assertThat(nats.acknowledged()).endsWith(outcome);
    }

    @Test
    void eventsOfTasksThatAreUnknownOrHaveEndedAreAcknowledged() {
        final AgentTask ended = task("ended", "phase: Succeeded\nattempts: 1\n");
        final AgentTask gone = task("gone", RUNNING);
        cache.remove(gone);
        nats.report(Events.of(ended, Kind.COMPLETED));
        nats.report(Events.of(gone, Kind.COMPLETED));
        assertThat(nats.acknowledged()).hasSize(2);
        assertThat(reconciled).isEmpty();
        assertThat(heard).isEmpty();
    }

    @Test
    void anEventWithoutAValidProofReconcilesItsTaskAndChangesNothing() {
        final AgentTask task = task("task", QUEUED);
        final long running = nats.report(Events.of(task, Kind.RUNNING));
        final long forged = nats.forge(Events.of(task, Kind.COMPLETED));
        assertThat(nats.acknowledged()).containsExactly(forged);
        assertThat(reconciled).hasSize(2);
        assertThat(heard).containsExactly(Kind.RUNNING);
        final TaskResults.Last last = results.last(task);
        assertThat(last.sequence()).isEqualTo(forged);
        assertThat(last.proven().orElseThrow().sequence()).isEqualTo(running);
    }

    @Test
    void theSweepFindsWhatTheConsumerDidNotBring() {
        final AgentTask late = Resources.task("ns", "late", "pool");
        final AgentTask shown = task("shown", RUNNING);
        final TaskEvent outcome = Events.of(late, Kind.COMPLETED);
        nats.report(outcome);
        nats.report(Events.of(shown, Kind.PROGRESS));
        assertThat(reconciled).isEmpty();
        late.setStatus(Serialization.unmarshal(RUNNING, AgentTaskStatus.class));
        cache.put(late);
        results.sweep();
        assertThat(reconciled).containsExactly(ResourceID.fromResource(late));
        assertThat(results.isAhead(late)).isTrue();
        results.settle(late, Long.MAX_VALUE);
        assertThat(results.isAhead(late)).isFalse();
    }

    @Test
    void theSweepDropsEventsOfTasksThatAreGone() {
        final AgentTask task = task("task", RUNNING);
        final long outcome = nats.report(Events.of(task, Kind.COMPLETED));
        results.sweep();
        assertThat(results.isAhead(task)).isTrue();
        cache.remove(task);
        results.sweep();
        assertThat(results.isAhead(task)).isFalse();
        assertThat(nats.acknowledged()).containsExactly(outcome);
    }
}
