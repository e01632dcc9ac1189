package dev.codeforge.operator.task;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import dev.codeforge.jetstream.Results.StoredEvent;
import dev.codeforge.operator.index.TaskIndex;
import dev.codeforge.operator.task.status.StatusTransition;
import dev.codeforge.operator.task.status.TaskStatusBuilder;
import dev.codeforge.operator.time.Clocks;
import dev.codeforge.testing.Events;
import dev.codeforge.wire.DispatchKey;
import dev.codeforge.wire.TaskEvent;
import dev.codeforge.wire.TaskEvent.Kind;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** Deadlines while every machine has a time of its own: none passes early, and each passes. NATS has the test's time. */
final class SkewProperties {
    private static final DispatchKey KEY = new DispatchKey(new byte[32]);
    private static final Duration RUN = Duration.ofSeconds(60);
    /** The pool's heartbeat of 5 s and the grace of 30 s. */
    private static final Duration SILENCE = Duration.ofSeconds(35);

    private static final Duration MOMENT = Duration.ofSeconds(1);

    /** @param worker seconds by which its clock is ahead; likewise the others */
    record Skews(int worker, int operator, int apiServer) {
        Clocks at(Instant now) {
            return new Clocks(fixed(now.plusSeconds(operator)), fixed(now), fixed(now.plusSeconds(apiServer)));
        }

        private static Clock fixed(Instant now) {
            return Clock.fixed(now, ZoneOffset.UTC);
        }
    }

    @Provide
    Arbitrary<Skews> skews() {
        final Arbitrary<Integer> tenMinutes = Arbitraries.integers().between(-600, 600);
        return net.jqwik.api.Combinators.combine(tenMinutes, tenMinutes, tenMinutes)
                .as(Skews::new);
    }

    /** As NATS stored it at its time, and as the operator reads it. */
    private static TaskEvent stored(Seen seen, TaskEvent written, Instant at) {
        final byte[] body = written.toJson();
        return new StoredEvent(
                        TaskIndex.ref(seen.task), 9, at, body, KEY.proof(seen.task.uid(), written.attempt(), body))
                .proven(KEY)
                .orElseThrow();
    }

    private static TaskEvent event(Seen seen, Kind kind, Skews skews, Instant at) {
        return stored(seen, Events.of(seen.task, kind, 1, 1, at.plusSeconds(skews.worker())), at);
    }

    private static TaskPlan plan(Seen seen, Skews skews, Instant now) {
        return new TaskPlanner(skews.at(now)).plan(seen.snapshot());
    }

    private static AgentTaskStatus said(Seen seen, Skews skews, Instant now) {
        return new TaskStatusBuilder(skews.at(now))
                .build(seen.task, seen.snapshot().pool(), ((TaskPlan.UpdateStatus) plan(seen, skews, now)).view());
    }

    @Property
    void aRunHasItsTimeAndNoMore(@ForAll("skews") Skews skews) {
        final Seen seen = Seen.task("runTimeoutSeconds: 60").queued(1);
        seen.event(event(seen, Kind.RUNNING, skews, Seen.NOW));
        seen.status(said(seen, skews, Seen.NOW));
        assertThat(seen.task.getStatus().phase()).isEqualTo(Phase.Running);
        assertThat(seen.task.getStatus().startTime()).isEqualTo(Seen.NOW);
        final Instant deadline = Seen.NOW.plus(RUN).plus(SILENCE);
        assertThat(plan(seen, skews, deadline.minus(MOMENT))).isInstanceOf(TaskPlan.UpdateStatus.class);
        assertThat(plan(seen, skews, deadline)).isInstanceOf(TaskPlan.AskToStop.class);
    }

    @Property
    void anOperatorThatComesLateKnowsWhenTheRunBegan(@ForAll("skews") Skews skews) {
        final Seen seen = Seen.task("runTimeoutSeconds: 60").queued(1);
        // All that is left is the word of a run that goes on for a while.
        final TaskEvent begun = Events.of(seen.task, Kind.PROGRESS, 1, 1, Seen.NOW.plusSeconds(skews.worker()));
        seen.event(stored(seen, written(begun, begun.time().plusSeconds(40)), Seen.NOW.plusSeconds(40)));
        final Instant deadline = Seen.NOW.plus(RUN).plus(SILENCE);
        assertThat(plan(seen, skews, deadline.minus(MOMENT))).isInstanceOf(TaskPlan.UpdateStatus.class);
        assertThat(plan(seen, skews, deadline)).isInstanceOf(TaskPlan.AskToStop.class);
    }

    @Property
    void aWorkersClockThatIsSetInTheRunEndsNoRunEarly(@ForAll("skews") Skews before, @ForAll("skews") Skews after) {
        final Seen seen = Seen.task("runTimeoutSeconds: 60").queued(1);
        seen.event(event(seen, Kind.RUNNING, before, Seen.NOW));
        seen.status(said(seen, before, Seen.NOW));
        final Instant at = Seen.NOW.plusSeconds(40);
        final TaskEvent progress = Events.of(seen.task, Kind.PROGRESS, 1, 1, Seen.NOW.plusSeconds(before.worker()));
        seen.event(stored(seen, written(progress, at.plusSeconds(after.worker())), at));
        final Instant deadline = Seen.NOW.plus(RUN).plus(SILENCE);
        assertThat(plan(seen, after, deadline.minus(MOMENT))).isInstanceOf(TaskPlan.UpdateStatus.class);
        // Nor does it live on for ever: what was written is after the start.
        assertThat(plan(seen, after, deadline.plusSeconds(40))).isInstanceOf(TaskPlan.AskToStop.class);
    }

    /** The same event, written later. */
    private static TaskEvent written(TaskEvent event, Instant time) {
        return new TaskEvent(
                event.taskId(),
                event.projectId(),
                event.status(),
                event.kind(),
                event.eventId(),
                event.attempt(),
                event.delivery(),
                event.stream(),
                event.sequence(),
                event.worker(),
                time,
                event.startTime(),
                event.completionTime(),
                event.output(),
                event.files(),
                event.error(),
                event.tokensIn(),
                event.tokensOut(),
                event.costUsd(),
                event.usage(),
                event.result(),
                event.failure(),
                event.checkpoint());
    }

    @Property
    void aTaskHasItsTimeInTheQueueFromItsCreation(@ForAll("skews") Skews skews) {
        final Seen seen = Seen.task("queueTimeoutSeconds: 300").queued(1);
        seen.task
                .getMetadata()
                .setCreationTimestamp(Seen.NOW.plusSeconds(skews.apiServer()).toString());
        assertThat(plan(seen, skews, Seen.NOW.plusSeconds(299))).isInstanceOf(TaskPlan.UpdateStatus.class);
        assertThat(plan(seen, skews, Seen.NOW.plusSeconds(300))).isInstanceOf(TaskPlan.End.class);
    }

    @Property
    void aTaskThatWasGivenBackHasItsTimeFromThenOn(@ForAll("skews") Skews skews) {
        final Seen seen = Seen.task("queueTimeoutSeconds: 300").queued(1);
        seen.task
                .getMetadata()
                .setCreationTimestamp(
                        Seen.NOW.plusSeconds(skews.apiServer() - 900).toString());
        seen.event(event(seen, Kind.RELEASED, skews, Seen.NOW));
        seen.status(said(seen, skews, Seen.NOW.plusSeconds(1)));
        assertThat(plan(seen, skews, Seen.NOW.plusSeconds(299))).isInstanceOf(TaskPlan.UpdateStatus.class);
        assertThat(plan(seen, skews, Seen.NOW.plusSeconds(300))).isInstanceOf(TaskPlan.End.class);
    }

    @Property
    void theNextAttemptIsDueAfterItsPause(@ForAll("skews") Skews skews) {
        final Seen seen =
                Seen.task("retry: {maxAttempts: 3, backoffSeconds: 60}").queued(1);
        final TaskEvent.Failure failure = new TaskEvent.Failure("Broken", "broken", true);
        seen.event(stored(
                seen,
                Events.at(seen.task, Kind.FAILED, 1, 1, failure, Seen.NOW.plusSeconds(skews.worker())),
                Seen.NOW));
        seen.status(said(seen, skews, Seen.NOW.plusSeconds(1))).lost();
        assertThat(seen.task.getStatus().phase()).isEqualTo(Phase.Retrying);
        assertThat(plan(seen, skews, Seen.NOW.plusSeconds(59)))
                .isEqualTo(new TaskPlan.UpdateStatus(new StatusTransition.Unchanged()));
        assertThat(plan(seen, skews, Seen.NOW.plusSeconds(60))).isInstanceOf(TaskPlan.Publish.class);
    }

    @Property
    void whatIsKeptForATimeIsKeptSoLong(@ForAll("skews") Skews skews) {
        final Seen seen = Seen.task("ttlSecondsAfterFinished: 300").queued(1);
        seen.event(stored(
                seen,
                Events.at(seen.task, Kind.COMPLETED, 1, 1, null, Seen.NOW.plusSeconds(skews.worker())),
                Seen.NOW));
        seen.status(said(seen, skews, Seen.NOW.plusSeconds(1)));
        assertThat(plan(seen, skews, Seen.NOW.plusSeconds(299))).isInstanceOf(TaskPlan.UpdateStatus.class);
        assertThat(plan(seen, skews, Seen.NOW.plusSeconds(300))).isInstanceOf(TaskPlan.Delete.class);
    }

    @Property
    void anotherOperatorWaitsAsLongForAWorkerThatWasAskedToStop(
            @ForAll("skews") Skews first, @ForAll("skews") Skews second) {
        final Seen seen = Seen.task("cancel: true").running(1);
        seen.event(event(seen, Kind.RUNNING, first, Seen.NOW.minusSeconds(60)));
        final TaskPlan.AskToStop asked = (TaskPlan.AskToStop) plan(seen, first, Seen.NOW);
        seen.status(new TaskStatusBuilder(first.at(Seen.NOW))
                .build(
                        seen.task,
                        seen.snapshot().pool(),
                        new StatusTransition.Stopping(
                                asked.end().stop(), seen.snapshot().lastEvent(), false)));
        assertThat(isOverdue(seen, second, Seen.NOW.plus(SILENCE).minus(MOMENT)))
                .isFalse();
        assertThat(isOverdue(seen, second, Seen.NOW.plus(SILENCE))).isTrue();
    }

    private static boolean isOverdue(Seen seen, Skews skews, Instant now) {
        return new TaskDeadlines(skews.at(now)).isOverdue(seen.snapshot());
    }
}
