package dev.codeforge.operator.task.status;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.operator.status.Conditions;
import dev.codeforge.operator.status.Reason;
import dev.codeforge.operator.status.ReconcileError;
import dev.codeforge.operator.time.Clocks;
import dev.codeforge.testing.Events;
import dev.codeforge.testing.Resources;
import dev.codeforge.wire.TaskEvent;
import dev.codeforge.wire.TaskEvent.Kind;
import io.fabric8.kubernetes.api.model.Condition;
import java.math.BigDecimal;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

final class TaskStatusBuilderTest {
    private static final Instant NOW = Instant.parse("2026-11-24T12:00:00.123Z");
    private static final AgentTask TASK = Resources.task("ns", "task", "pool");

    private final AgentTask task = copy();
    private final WorkerPool pool = Resources.pool("ns", "pool", null);

    @Test
    void aWaitingTaskIsPendingAndSaysWhy() {
        final AgentTaskStatus status = build(new StatusTransition.Waiting(Reason.PoolNotFound, "no such pool"));
        assertThat(status.phase()).isEqualTo(Phase.Pending);
        assertThat(status.attempts()).isZero();
        assertThat(condition(status, "Ready").getReason()).isEqualTo("PoolNotFound");
        assertThat(condition(status, "Reconciling").getMessage()).isEqualTo("no such pool");
    }

    @Test
    void aQueuedTaskTellsWhereItsMessageIsAndWhatApplies() {
        final AgentTaskStatus status = build(queued());
        assertThat(status.phase()).isEqualTo(Phase.Queued);
        assertThat(status.attempts()).isEqualTo(1);
        assertThat(status.queue()).isEqualTo(new AgentTaskStatus.QueuePosition("tasks_ns_pool", 7L));
        assertThat(status.queuedTime()).isEqualTo(NOW);
        assertThat(status.effective().runTimeoutSeconds()).isEqualTo(1800);
        assertThat(condition(status, "Ready").getReason()).isEqualTo("Queued");
    }

    @Test
    void aRunningTaskNamesItsPod() {
        final AgentTaskStatus status = build(new StatusTransition.Running(Events.of(task, Kind.RUNNING)));
        assertThat(status.phase()).isEqualTo(Phase.Running);
        assertThat(status.podName()).isEqualTo("worker-0");
        assertThat(status.startTime()).isEqualTo(Events.STARTED);
        assertThat(status.completionTime()).isNull();
        assertThat(condition(status, "Reconciling").getMessage()).contains("worker-0");
    }

    @Test
    void aCompletedTaskHasItsResult() {
        final AgentTaskStatus status = build(new StatusTransition.Ended(Events.of(task, Kind.COMPLETED)));
        assertThat(status.phase()).isEqualTo(Phase.Succeeded);
        assertThat(status.result().output()).isEqualTo("hello");
        assertThat(status.result().summary()).isEqualTo("done");
        assertThat(status.usage()).isEqualTo(new AgentTaskStatus.Usage(3L, 4L, "0.05"));
        assertThat(status.error()).isNull();
        assertThat(status.completionTime()).isEqualTo(Events.ENDED);
        assertThat(trueOnes(status)).containsExactlyInAnyOrder("Ready", "Complete", "Finished");
    }

    @Test
    void aTaskThatCannotBeReconciledSaysWhyAndStaysAsItIs() {
        task.setStatus(build(new StatusTransition.Running(Events.of(task, Kind.RUNNING))));
        final AgentTaskStatus failed = build(troubled());
        assertThat(failed.phase()).isEqualTo(Phase.Running);
        assertThat(condition(failed, "Ready").getReason()).isEqualTo("Running");
        assertThat(condition(failed, "ReconcileFailed").getReason()).isEqualTo("RightMissing");
        assertThat(condition(failed, "ReconcileFailed").getMessage()).isEqualTo("cannot create events");
        final AgentTaskStatus before = task.getStatus();
        task.setStatus(failed);
        assertThat(build(troubled())).isEqualTo(failed);
        assertThat(build(new StatusTransition.Running(Events.of(task, Kind.RUNNING))))
                .isEqualTo(before);
        assertThat(build(new StatusTransition.Unchanged())).isEqualTo(before);
    }

    @Test
    void aTaskThatNoQueueHasIsPendingForTheError() {
        final AgentTaskStatus failed = build(troubled());
        assertThat(failed.phase()).isEqualTo(Phase.Pending);
        assertThat(condition(failed, "Ready").getReason()).isEqualTo("RightMissing");
        task.setStatus(failed);
        assertThat(Conditions.find(build(queued()).conditions(), "ReconcileFailed"))
                .isEmpty();
    }

    @Test
    void aStatusThatIsRefusedKeepsWhatDecides() {
        final AgentTaskStatus refused =
                build(new StatusTransition.Ended(Events.failed(task, "CommandFailed", "exit code 1")));
        final AgentTaskStatus smallest = builder(NOW).smallest(task, refused, "400: control characters");
        assertThat(smallest.phase()).isEqualTo(Phase.Failed);
        assertThat(smallest.attempts()).isEqualTo(refused.attempts());
        assertThat(smallest.usage()).isEqualTo(refused.usage());
        assertThat(smallest.completionTime()).isEqualTo(refused.completionTime());
        assertThat(smallest.error().type()).isEqualTo("CommandFailed");
        assertThat(smallest.result()).isNull();
        assertThat(smallest.history()).hasSize(1);
        assertThat(smallest.conditions().toString() + smallest.history() + smallest.error())
                .doesNotContain("exit code 1");
        assertThat(condition(smallest, "StatusRefused").getMessage()).endsWith("400: control characters");
        assertThat(Conditions.isTrue(smallest.conditions(), "Finished")).isTrue();
    }

    private static StatusTransition troubled() {
        return new StatusTransition.Troubled(new ReconcileError(Reason.RightMissing, "cannot create events", false));
    }

    @Test
    void aFailedTaskSaysWhy() {
        final AgentTaskStatus status =
                build(new StatusTransition.Ended(Events.failed(task, "RunTimeout", "stopped after 5 s")));
        assertThat(status.phase()).isEqualTo(Phase.Failed);
        assertThat(status.error()).isEqualTo(new AgentTaskStatus.Failure("RunTimeout", "stopped after 5 s", false));
        assertThat(trueOnes(status)).containsExactlyInAnyOrder("Stalled", "Failed", "Finished");
        assertThat(condition(status, "Failed").getReason()).isEqualTo("RunTimeout");
    }

    @Test
    void aCancelledTaskIsFinishedToo() {
        final AgentTaskStatus status = build(new StatusTransition.Ended(Events.of(task, Kind.CANCELLED)));
        assertThat(status.phase()).isEqualTo(Phase.Cancelled);
        assertThat(trueOnes(status)).containsExactlyInAnyOrder("Cancelled", "Finished");
    }

    @ParameterizedTest
    @ValueSource(strings = {"MaxDeliveriesExceeded", "PoolDeleted"})
    void aTaskWhoseMessageWasPutAsideIsDeadLettered(String type) {
        final AgentTaskStatus status = build(new StatusTransition.Ended(Events.failed(task, type, "text")));
        assertThat(trueOnes(status)).containsExactlyInAnyOrder("Stalled", "Failed", "Finished", "DeadLettered");
    }

    @Test
    void aFailureTypeThatIsNoReasonIsReplaced() {
        final AgentTaskStatus status = build(new StatusTransition.Ended(Events.failed(task, "not a reason!", "text")));
        assertThat(status.error().type()).isEqualTo("AgentFailed");
        assertThat(condition(status, "Ready").getReason()).isEqualTo("AgentFailed");
    }

    static Stream<StatusTransition> everyView() {
        return Stream.concat(
                everyUnfinishedView(),
                Stream.of(
                        new StatusTransition.Ended(Events.of(TASK, Kind.COMPLETED)),
                        new StatusTransition.Ended(Events.of(TASK, Kind.CANCELLED)),
                        new StatusTransition.Ended(Events.failed(TASK, "CommandFailed", "exit code 1"))));
    }

    static Stream<StatusTransition> everyUnfinishedView() {
        return Stream.of(
                new StatusTransition.Waiting(Reason.QueueFull, "full"),
                queued(),
                new StatusTransition.Queued(1, "tasks_ns_pool", 7, Optional.of(Events.of(TASK, Kind.RELEASED))),
                new StatusTransition.Running(Events.of(TASK, Kind.RUNNING)));
    }

    @ParameterizedTest
    @MethodSource("everyView")
    void aTaskIsReadyOrReconcilingOrStalledButNeverTwoOfThem(StatusTransition view) {
        final AgentTaskStatus status = build(view);
        final boolean asAsked = status.phase() == Phase.Suspended || status.phase() == Phase.Cancelled;
        final Stream<String> standing = Stream.of("Ready", "Reconciling", "Stalled")
                .filter(type -> Conditions.isTrue(status.conditions(), type));
        assertThat(standing).hasSize(asAsked ? 0 : 1);
    }

    /** kstatus takes Ready=False for in progress, whatever the reason: a pipeline would wait for ever. */
    @Test
    void whatIsHeldBackOrCancelledIsSettledForKstatus() {
        final AgentTaskStatus suspended = build(new StatusTransition.Suspended(Optional.empty()));
        assertThat(trueOnes(suspended)).containsExactly("Suspended");
        assertThat(Conditions.find(suspended.conditions(), "Ready")).isEmpty();
        final AgentTaskStatus cancelled = build(new StatusTransition.Ended(Events.of(task, Kind.CANCELLED)));
        assertThat(Conditions.find(cancelled.conditions(), "Ready")).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("everyView")
    void everyStatusSaysWhatIsHappening(StatusTransition view) {
        assertThat(build(view).message()).isNotEmpty().hasSizeLessThanOrEqualTo(256);
    }

    @ParameterizedTest
    @MethodSource("everyUnfinishedView")
    void toSayTheSameAgainIsNoNews(StatusTransition view) {
        task.setStatus(build(view));
        assertThat(at(NOW.plus(Duration.ofMinutes(5)), view)).isEqualTo(task.getStatus());
    }

    @ParameterizedTest
    @MethodSource("everyView")
    void everyConditionSpeaksOfThisGeneration(StatusTransition view) {
        task.getMetadata().setGeneration(4L);
        assertThat(build(view).observedGeneration()).isEqualTo(4);
        assertThat(build(view).conditions()).allSatisfy(condition -> assertThat(condition.getObservedGeneration())
                .isEqualTo(4));
    }

    @Test
    void anUnchangedTaskKeepsItsStatus() {
        task.setStatus(build(queued()));
        assertThat(build(new StatusTransition.Unchanged())).isEqualTo(task.getStatus());
    }

    @Test
    void progressIsNoNews() {
        task.setStatus(build(new StatusTransition.Running(Events.of(task, Kind.RUNNING))));
        assertThat(at(NOW.plusSeconds(60), new StatusTransition.Running(Events.of(task, Kind.PROGRESS))))
                .isEqualTo(task.getStatus());
    }

    @Test
    void aSecondWorkerIsNews() {
        task.setStatus(build(new StatusTransition.Running(Events.of(task, Kind.RUNNING))));
        assertThat(build(new StatusTransition.Running(Events.of(task, Kind.RUNNING, 1, 2)))
                        .deliveries())
                .isEqualTo(2);
    }

    @Test
    void aTransitionTimeIsThatOfTheLastFlip() {
        task.setStatus(build(queued()));
        final AgentTaskStatus running =
                at(NOW.plusSeconds(60), new StatusTransition.Running(Events.of(task, Kind.RUNNING)));
        assertThat(condition(running, "Reconciling").getReason()).isEqualTo("Running");
        assertThat(condition(running, "Reconciling").getLastTransitionTime()).isEqualTo("2026-11-24T12:00:00Z");
        task.setStatus(running);
        final AgentTaskStatus ended =
                at(NOW.plusSeconds(120), new StatusTransition.Ended(Events.of(task, Kind.COMPLETED)));
        assertThat(condition(ended, "Ready").getLastTransitionTime()).isEqualTo("2026-11-24T12:02:00Z");
        assertThat(condition(ended, "Stalled").getLastTransitionTime()).isEqualTo("2026-11-24T12:00:00Z");
    }

    @Test
    void attemptsNeverGoBack() {
        task.setStatus(build(new StatusTransition.Queued(3, "tasks_ns_pool", 9, Optional.empty())));
        assertThat(build(queued()).attempts()).isEqualTo(3);
        assertThat(build(new StatusTransition.Waiting(Reason.QueueFull, "full")).attempts())
                .isEqualTo(3);
        assertThat(build(new StatusTransition.Running(Events.of(task, Kind.RUNNING)))
                        .attempts())
                .isEqualTo(3);
        assertThat(build(new StatusTransition.Ended(Events.of(task, Kind.COMPLETED)))
                        .attempts())
                .isEqualTo(3);
    }

    @Test
    void theFirstQueuedTimeAndTheEffectiveValuesStay() {
        task.setStatus(build(queued()));
        final AgentTaskStatus running = builder(NOW.plusSeconds(60))
                .build(task, Optional.empty(), new StatusTransition.Running(Events.of(task, Kind.RUNNING)));
        assertThat(running.queuedTime()).isEqualTo(NOW);
        assertThat(running.effective().runTimeoutSeconds()).isEqualTo(1800);
    }

    @Test
    void anEndedAttemptIsRememberedWithItsWorker() {
        final AgentTaskStatus status =
                build(new StatusTransition.Ended(Events.failed(task, "CommandFailed", "exit code 1")));
        assertThat(status.history())
                .containsExactly(new AgentTaskStatus.HistoryEntry(
                        1, "worker-0", Events.STARTED, Events.ENDED, Phase.Failed, status.error()));
    }

    @Test
    void aRunThatWasTakenAwayIsInTheHistoryOnceAndEndsNoAttempt() {
        final TaskEvent.Failure why = new TaskEvent.Failure("Disrupted", "pod a was evicted", true);
        final TaskEvent givenBack =
                Events.of(task, Kind.RUNNING).givenBack("00000000-0000-4000-8000-000000000001", Events.ENDED, why);
        task.setStatus(build(new StatusTransition.Running(Events.of(task, Kind.RUNNING))));
        for (int look = 0; look < 2; look++) {
            task.setStatus(build(new StatusTransition.Queued(1, "tasks_ns_pool", 7, Optional.of(givenBack))));
        }
        final AgentTaskStatus status = task.getStatus();
        assertThat(status.phase()).isEqualTo(Phase.Queued);
        assertThat(status.history())
                .containsExactly(new AgentTaskStatus.HistoryEntry(
                        1,
                        "worker-0",
                        Events.STARTED,
                        Events.ENDED,
                        Phase.Queued,
                        new AgentTaskStatus.Failure("Disrupted", "pod a was evicted", true)));
        assertThat(status.currentAttempt()).isEqualTo(1);
        assertThat(status.failedAttempts()).isZero();
        assertThat(status.error()).isNull();
    }

    @Test
    void aRunThatItsWorkerGaveBackIsInTheHistoryToo() {
        final AgentTaskStatus status =
                build(new StatusTransition.Queued(1, "tasks_ns_pool", 7, Optional.of(Events.of(task, Kind.RELEASED))));
        assertThat(status.history())
                .extracting(entry -> entry.outcome() + " " + entry.error().type())
                .containsExactly("Queued Released");
    }

    @Test
    void theHistoryKeepsTheLastTenAttempts() {
        for (int attempt = 1; attempt <= 12; attempt++) {
            task.setStatus(build(new StatusTransition.Ended(Events.of(task, Kind.FAILED, attempt, 1))));
        }
        assertThat(task.getStatus().history())
                .extracting(AgentTaskStatus.HistoryEntry::attempt)
                .containsExactly(3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
    }

    @Test
    void aTaskThatEndsBeforeAnyWorkerHasNoPod() {
        final TaskEvent event = Events.of(task, Kind.CANCELLED);
        final AgentTaskStatus status = build(new StatusTransition.Ended(new TaskEvent(
                event.taskId(),
                "",
                "cancelled",
                Kind.CANCELLED,
                event.eventId(),
                1,
                0,
                "",
                0,
                "",
                event.time(),
                null,
                null,
                "",
                List.of(),
                "",
                0,
                0,
                BigDecimal.ZERO,
                null,
                null,
                new TaskEvent.Failure("TaskDeleted", "gone", false),
                null)));
        assertThat(status.podName()).isEmpty();
        assertThat(status.startTime()).isNull();
        assertThat(status.queue()).isNull();
        assertThat(status.completionTime()).isEqualTo(NOW);
        assertThat(status.usage().costUSD()).isEqualTo("0");
    }

    private static StatusTransition queued() {
        return new StatusTransition.Queued(1, "tasks_ns_pool", 7, Optional.empty());
    }

    private AgentTaskStatus build(StatusTransition view) {
        return at(NOW, view);
    }

    private AgentTaskStatus at(Instant now, StatusTransition view) {
        return builder(now).build(task, Optional.of(pool), view);
    }

    private static TaskStatusBuilder builder(Instant now) {
        final Clock clock = Clock.fixed(now, ZoneOffset.UTC);
        return new TaskStatusBuilder(new Clocks(clock, clock, clock));
    }

    private static Condition condition(AgentTaskStatus status, String type) {
        return Conditions.find(status.conditions(), type).orElseThrow();
    }

    private static List<String> trueOnes(AgentTaskStatus status) {
        return status.conditions().stream()
                .filter(condition -> "True".equals(condition.getStatus()))
                .map(Condition::getType)
                .toList();
    }

    private static AgentTask copy() {
        final AgentTask copy = Resources.task("ns", "task", "pool");
        copy.getMetadata().setUid(TASK.uid());
        return copy;
    }
}
