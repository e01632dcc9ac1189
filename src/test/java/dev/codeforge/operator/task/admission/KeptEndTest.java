package dev.codeforge.operator.task.admission;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.Retry;
import dev.codeforge.operator.task.Seen;
import dev.codeforge.operator.task.status.StatusToEvent;
import dev.codeforge.operator.task.status.StatusTransition;
import dev.codeforge.operator.task.status.StopReason;
import dev.codeforge.testing.Events;
import dev.codeforge.wire.LedgerRecord;
import dev.codeforge.wire.TaskEvent;
import dev.codeforge.wire.TaskEvent.Kind;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which ends an idempotency key stands for. */
final class KeptEndTest {
    private static final Retry THREE_ATTEMPTS = new Retry(3, null, null, null, null).complete();
    private final Seen seen = Seen.task("idempotencyKey: k");

    @ParameterizedTest
    @EnumSource(
            value = Kind.class,
            names = {"COMPLETED", "FAILED", "CANCELLED"})
    void eachEndOfARunIsKept(Kind kind) {
        assertThat(isKept(Events.of(seen.task, kind))).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"QueueTimeout", "PoolDeleted", "TaskTooLarge"})
    void aFailureBeforeAnyRunIsNotKept(String type) {
        assertThat(isKept(before(false, type))).isFalse();
    }

    @Test
    void aCancellationBeforeAnyRunIsKept() {
        assertThat(isKept(before(true, StopReason.CANCELLED))).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"MayHaveRun", "MaxDeliveriesExceeded"})
    void aFailureOfATaskThatAWorkerHadIsKept(String type) {
        assertThat(isKept(before(false, type))).isTrue();
    }

    @Test
    void aFailureBetweenTwoAttemptsIsKeptWithWhatTheEarlierOneUsed() {
        seen.between(
                "Retrying",
                1,
                "podName: worker-0, usage: {tokensIn: 3, tokensOut: 4, costUSD: '0.05'}, nextAttemptTime: '2026-11-24T11:00:00Z'");
        final TaskEvent end = before(false, "QueueTimeout");
        assertThat(isKept(end)).isTrue();
        assertThat(end.tokensIn()).isEqualTo(3);
        assertThat(end.usage().costUsd()).isEqualTo("0.05");
        assertThat(end.attempt()).isEqualTo(1);
    }

    @Test
    void theSameEndIsTheSameEventAgain() {
        assertThat(before(true, "Cancelled")).isEqualTo(before(true, "Cancelled"));
    }

    @Test
    void ofADeletedTaskAnEndOfItsOwnIsKept() {
        assertThat(ofDeleted(Events.of(seen.task, Kind.COMPLETED))).isTrue();
        assertThat(ofDeleted(Events.cancelled(seen.task, 1, "Cancelled"))).isTrue();
        assertThat(ofDeleted(Events.failed(seen.task, 1, "InvalidConfig", "no such key", false)))
                .isTrue();
        assertThat(ofDeleted(Events.failed(seen.task, 3, "CommandFailed", "exit code 1", true)))
                .isTrue();
    }

    @Test
    void ofATaskThatWasDeletedInTheMiddleNothingIsKept() {
        assertThat(ofDeleted(Events.cancelled(seen.task, 1, "TaskDeleted"))).isFalse();
        assertThat(ofDeleted(Events.cancelled(seen.task, 1, "Suspended"))).isFalse();
        assertThat(ofDeleted(Events.failed(seen.task, 2, "CommandFailed", "exit code 1", true)))
                .isFalse();
        assertThat(ofDeleted(before(false, "QueueTimeout"))).isFalse();
    }

    /** It succeeded, and its rerun found no worker in time. */
    @Test
    void aRerunThatEndsBeforeItBeginsLeavesTheEndThatStands() {
        final Seen rerun = Seen.task("idempotencyKey: k, rerun: 1")
                .between(
                        "Succeeded",
                        1,
                        "podName: worker-0, startTime: '2026-11-24T09:00:00Z', failedAttempts: 1, completionTime: '2026-11-24T10:00:00Z'");
        final LedgerRecord success =
                new LedgerRecord(rerun.task.uid(), "ns", "pool", "task", "hash", Events.of(rerun.task, Kind.COMPLETED));
        final TaskEvent late = StatusToEvent.between(
                rerun.task,
                new StatusTransition.Closed(false, new TaskEvent.Failure("BudgetExceeded", "", false)),
                Seen.NOW);
        assertThat(KeptEnd.mayReplace(success, rerun.task, late)).isFalse();
        assertThat(KeptEnd.mayReplace(success, rerun.task, Events.of(rerun.task, Kind.FAILED, 2, 1)))
                .isTrue();
    }

    @Test
    void whatAnotherHasUnderTheKeyYieldsToARunAndItsClaimToASuccess() {
        final TaskEvent success = Events.of(seen.task, Kind.COMPLETED);
        final TaskEvent failure = Events.of(seen.task, Kind.FAILED);
        final TaskEvent unrun = before(true, "Cancelled");
        assertThat(List.of(mayReplace(null, success), mayReplace(null, failure), mayReplace(null, unrun)))
                .containsExactly(true, false, false);
        assertThat(List.of(mayReplace(success, success), mayReplace(success, failure), mayReplace(success, unrun)))
                .containsExactly(true, true, false);
    }

    @Test
    void whatATaskHasUnderItsKeyYieldsToEachOfItsEnds() {
        assertThat(KeptEnd.mayReplace(ClaimPlanner.claim(seen.task), seen.task, before(true, "Cancelled")))
                .isTrue();
    }

    private boolean mayReplace(TaskEvent found, TaskEvent end) {
        return KeptEnd.mayReplace(new LedgerRecord("other", "ns", "pool", "other", "hash", found), seen.task, end);
    }

    private boolean isKept(TaskEvent end) {
        return KeptEnd.isKept(seen.task.statusOrUnobserved(), end);
    }

    private static boolean ofDeleted(TaskEvent last) {
        return KeptEnd.ofDeleted(last, THREE_ATTEMPTS);
    }

    /** An end of a task that has no attempt under way. */
    private TaskEvent before(boolean cancelled, String type) {
        return StatusToEvent.between(
                seen.task,
                new StatusTransition.Closed(cancelled, new TaskEvent.Failure(type, "because", false)),
                Seen.NOW);
    }
}
