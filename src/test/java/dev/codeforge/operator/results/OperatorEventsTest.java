package dev.codeforge.operator.results;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.AgentTask;
import dev.codeforge.jetstream.Consumption;
import dev.codeforge.jetstream.Results;
import dev.codeforge.jetstream.Results.StoredEvent;
import dev.codeforge.operator.index.TaskIndex;
import dev.codeforge.testing.Events;
import dev.codeforge.testing.FakeConnections;
import dev.codeforge.testing.Resources;
import dev.codeforge.testing.Schemas;
import dev.codeforge.wire.DispatchKey;
import dev.codeforge.wire.TaskEvent;
import dev.codeforge.wire.TaskEvent.Kind;
import dev.codeforge.wire.TaskRef;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class OperatorEventsTest {
    private static final TaskEvent.Failure FAILURE = new TaskEvent.Failure("PoolDeleted", "the pool is gone", false);

    private final DispatchKey key = new DispatchKey(new byte[32]);
    private final FakeConnections nats = new FakeConnections(key);
    private final Results results = nats.results();
    private final OperatorEvents events =
            new OperatorEvents(key, Clock.fixed(Instant.parse("2026-11-24T12:00:00Z"), ZoneOffset.UTC));
    private final AgentTask task = Resources.task("ns", "task", "pool");

    @Test
    void anAttemptWithoutEventsIsEnded() {
        end(1);
        assertThat(last().kind()).isEqualTo(Kind.FAILED);
        assertThat(last().failure()).isEqualTo(FAILURE);
        assertThat(last().error()).isEqualTo("the pool is gone");
    }

    @Test
    void whatTheRunToldBeforeIsKept() {
        nats.report(Events.of(task, Kind.PROGRESS, 1, 2));
        end(1);
        assertThat(last().delivery()).isEqualTo(2);
        assertThat(last().worker()).isEqualTo("worker-0");
        assertThat(last().usage()).isEqualTo(new TaskEvent.Usage(3, 4, "0.05"));
        assertThat(last().startTime()).isEqualTo(Events.STARTED);
    }

    @Test
    void anOutcomeIsNotReplaced() {
        nats.report(Events.of(task, Kind.COMPLETED));
        end(1);
        assertThat(last().kind()).isEqualTo(Kind.COMPLETED);
    }

    @Test
    void theOutcomeOfAnOlderAttemptDoesNotEndThisOne() {
        nats.report(Events.of(task, Kind.FAILED, 1, 1));
        end(2);
        assertThat(last().attempt()).isEqualTo(2);
    }

    @Test
    void aLaterAttemptIsLeftAlone() {
        nats.report(Events.of(task, Kind.RUNNING, 2, 1));
        end(1);
        assertThat(last().kind()).isEqualTo(Kind.RUNNING);
        assertThat(last().attempt()).isEqualTo(2);
    }

    @Test
    void whatEarlierAttemptsUsedIsKept() {
        nats.report(Events.of(task, Kind.FAILED, 1, 1));
        end(2);
        assertThat(last().usage()).isEqualTo(new TaskEvent.Usage(3, 4, "0.05"));
    }

    @Test
    void whatTheRunSavedIsKept() {
        nats.report(Events.saving(Events.of(task, Kind.PROGRESS, 1, 2), "{\"done\":2}"));
        end(1);
        assertThat(last().checkpoint()).isEqualTo("{\"done\":2}");
    }

    @Test
    void whatAnAttemptWasGivenIsKeptWhenNoRunOfItBegan() {
        nats.report(Events.saving(Events.of(task, Kind.FAILED, 1, 1), "{\"done\":2}"));
        final StoredEvent stored = results.last(TaskIndex.ref(task)).orElseThrow();
        events.end(
                results,
                TaskIndex.ref(task),
                2,
                Kind.CANCELLED,
                FAILURE,
                stored.sequence(),
                Optional.of(last()),
                Optional.of("{\"done\":2}"));
        assertThat(last().checkpoint()).isEqualTo("{\"done\":2}");
        end(3);
        assertThat(last().checkpoint()).isNull();
    }

    @Test
    void anOutcomeWithoutAProofIsNone() {
        nats.forge(Events.of(task, Kind.COMPLETED));
        end(1);
        assertThat(last().kind()).isEqualTo(Kind.FAILED);
        assertThat(last().worker()).isEmpty();
    }

    @Test
    void aWriteThatAnotherEventOvertookIsTriedAgain() {
        final Results overtaken = new OvertakenOnce(results, () -> nats.report(Events.of(task, Kind.RUNNING)));
        events.endUnfinished(overtaken, TaskIndex.ref(task), 1, Kind.FAILED, FAILURE);
        assertThat(last().kind()).isEqualTo(Kind.FAILED);
        assertThat(last().worker()).isEqualTo("worker-0");
    }

    @Test
    void anOutcomeThatOvertookTheWriteStands() {
        final Results overtaken = new OvertakenOnce(results, () -> nats.report(Events.of(task, Kind.COMPLETED)));
        events.endUnfinished(overtaken, TaskIndex.ref(task), 1, Kind.FAILED, FAILURE);
        assertThat(last().kind()).isEqualTo(Kind.COMPLETED);
    }

    @Test
    void aRunIsGivenBackWithAllThatItToldAndNotCounted() throws Exception {
        nats.report(Events.saving(Events.of(task, Kind.PROGRESS, 1, 2), "{\"done\":2}"));
        final StoredEvent stored = results.last(TaskIndex.ref(task)).orElseThrow();
        final TaskEvent.Failure why = new TaskEvent.Failure("Disrupted", "pod a was evicted", true);
        assertThat(events.giveBack(results, TaskIndex.ref(task), last(), why, stored.sequence()))
                .isTrue();
        assertThat(last().kind()).isEqualTo(Kind.RELEASED);
        assertThat(last().delivery()).isEqualTo(2);
        assertThat(last().checkpoint()).isEqualTo("{\"done\":2}");
        assertThat(last().usage()).isEqualTo(new TaskEvent.Usage(3, 4, "0.05"));
        assertThat(last().failure()).isEqualTo(why);
        assertThat(Schemas.problems(
                        "event", results.last(TaskIndex.ref(task)).orElseThrow().body()))
                .isEmpty();
        assertThat(events.giveBack(results, TaskIndex.ref(task), last(), why, stored.sequence()))
                .as("another event came in between")
                .isFalse();
    }

    @Test
    void theEventIsAsTheSchemaSays() throws Exception {
        nats.report(Events.of(task, Kind.RUNNING));
        end(1);
        assertThat(Schemas.problems(
                        "event", results.last(TaskIndex.ref(task)).orElseThrow().body()))
                .isEmpty();
    }

    @Test
    void theEventOfARunThatNeverBeganIsAsTheSchemaSays() throws Exception {
        end(1);
        assertThat(Schemas.problems(
                        "event", results.last(TaskIndex.ref(task)).orElseThrow().body()))
                .isEmpty();
    }

    private void end(int attempt) {
        events.endUnfinished(results, TaskIndex.ref(task), attempt, Kind.FAILED, FAILURE);
    }

    private TaskEvent last() {
        final StoredEvent stored = results.last(TaskIndex.ref(task)).orElseThrow();
        return TaskEvent.proven(key, task.uid(), stored.body(), stored.proof()).orElseThrow();
    }

    /** Lets something happen between the first read and the first write. */
    private record OvertakenOnce(Results results, Runnable event, boolean[] done) implements Results {
        OvertakenOnce(Results results, Runnable event) {
            this(results, event, new boolean[1]);
        }

        @Override
        public Optional<Long> append(TaskRef ref, String eventId, byte[] body, String proof, long expectedSequence) {
            if (!done[0]) {
                done[0] = true;
                event.run();
            }
            return results.append(ref, eventId, body, proof, expectedSequence);
        }

        @Override
        public Optional<String> problem() {
            return results.problem();
        }

        @Override
        public Optional<StoredEvent> last(TaskRef ref) {
            return results.last(ref);
        }

        @Override
        public Map<TaskRef, StoredEvent> lastOf(Collection<TaskRef> refs) {
            return results.lastOf(refs);
        }

        @Override
        public Consumption consume(java.util.function.Consumer<Delivery> onEvent) {
            return results.consume(onEvent);
        }
    }
}
