package dev.codeforge.operator.task;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import dev.codeforge.api.Retry;
import dev.codeforge.operator.status.Conditions;
import dev.codeforge.operator.task.admission.Admission;
import dev.codeforge.operator.task.admission.Candidate.OwnerState;
import dev.codeforge.operator.task.admission.SpecHash;
import dev.codeforge.operator.task.status.StopReason;
import dev.codeforge.testing.Events;
import dev.codeforge.testing.Resources;
import dev.codeforge.wire.LedgerRecord;
import dev.codeforge.wire.TaskEvent;
import dev.codeforge.wire.TaskEvent.Kind;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What an idempotency key asks for. */
final class KeyPlanTest {
    private final Seen seen = Seen.task("idempotencyKey: k");

    private LedgerRecord other(String hash, TaskEvent outcome) {
        return new LedgerRecord("other-uid", "ns", "pool", "other", hash, outcome);
    }

    private String hash() {
        return SpecHash.of(seen.task.getSpec());
    }

    @Test
    void theLedgerIsReadBeforeTheFirstPublish() {
        assertThat(seen.plan()).isEqualTo(new TaskPlan.AskAdmission(new Admission.ReadLedger()));
    }

    @Test
    void aKeyThatNobodyHasIsClaimedBeforeTheFirstPublish() {
        assertThat(seen.ledger(null, 0).plan()).isEqualTo(new TaskPlan.Admit(new Admission.Claim(seen.claim(), 0)));
    }

    @Test
    void theTaskThatHasTheKeyIsPublished() {
        assertThat(seen.ledger(seen.claim(), 3).plan()).isEqualTo(seen.publish(1));
    }

    @Test
    void aRecordedSuccessIsTakenOverAndNothingIsPaid() {
        final TaskEvent outcome = Events.of(seen.task, Kind.COMPLETED);
        final AgentTaskStatus status = seen.ledger(other(hash(), outcome), 3).said();
        assertThat(status.phase()).isEqualTo(Phase.Succeeded);
        assertThat(status.result().output()).isEqualTo("hello");
        assertThat(status.attempts()).isZero();
        assertThat(status.usage()).isNull();
        assertThat(Conditions.find(status.conditions(), "Ready").orElseThrow().getReason())
                .isEqualTo("Adopted");
    }

    @Test
    void aRecordedFailureIsTakenOverWithItsErrorAndNothingIsPaid() {
        final TaskEvent outcome = Events.failed(seen.task, "CommandFailed", "exit code 1");
        final AgentTaskStatus status = seen.ledger(other(hash(), outcome), 3).said();
        assertThat(status.phase()).isEqualTo(Phase.Failed);
        assertThat(status.error().type()).isEqualTo("CommandFailed");
        assertThat(status.result().output()).isEqualTo("hello");
        assertThat(status.attempts()).isZero();
        assertThat(status.usage()).isNull();
        assertThat(Conditions.isTrue(status.conditions(), "Failed")).isTrue();
        assertThat(Conditions.find(status.conditions(), "Stalled").orElseThrow().getReason())
                .isEqualTo("Adopted");
        assertThat(status.message()).startsWith("AgentTask other failed at ");
        assertThat(Conditions.find(status.conditions(), "Finished")
                        .orElseThrow()
                        .getMessage())
                .contains("CommandFailed: exit code 1", "spec.rerun", "repeatPolicy");
    }

    @Test
    void aRecordedCancellationIsTakenOverAndDoesNotStallAPipeline() {
        final AgentTaskStatus status = seen.ledger(
                        other(hash(), Events.cancelled(seen.task, 1, StopReason.CANCELLED)), 3)
                .said();
        assertThat(status.phase()).isEqualTo(Phase.Cancelled);
        assertThat(status.error().type()).isEqualTo("Cancelled");
        assertThat(Conditions.isTrue(status.conditions(), "Cancelled")).isTrue();
        assertThat(Conditions.isTrue(status.conditions(), "Stalled")).isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "Never, COMPLETED, false",
        "Never, FAILED, false",
        "Never, CANCELLED, false",
        "OnFailure, COMPLETED, false",
        "OnFailure, FAILED, true",
        "OnFailure, CANCELLED, false",
        "UnlessSucceeded, COMPLETED, false",
        "UnlessSucceeded, FAILED, true",
        "UnlessSucceeded, CANCELLED, true"
    })
    void whatEndedIsDoneOnceMoreOnlyWhereTheSpecSaysSo(String policy, Kind end, boolean again) {
        final Seen made = Seen.task("idempotencyKey: k, repeatPolicy: " + policy);
        made.ledger(other(hash(), Events.of(made.task, end)), 3);
        if (again) {
            assertThat(made.plan()).isEqualTo(new TaskPlan.Admit(new Admission.Claim(made.claim(), 3)));
        } else {
            assertThat(made.said().isTerminal()).isTrue();
        }
    }

    /** Recorded, then killed before its status told of it, and its events are lost. */
    @Test
    void aTasksOwnEndIsNotRepeated() {
        final Seen own = Seen.task("idempotencyKey: k, repeatPolicy: UnlessSucceeded");
        final LedgerRecord claim = own.claim();
        own.ledger(
                new LedgerRecord(
                        claim.uid(),
                        claim.namespace(),
                        claim.pool(),
                        claim.name(),
                        claim.specHash(),
                        Events.of(own.task, Kind.FAILED)),
                3);
        assertThat(own.said().phase()).isEqualTo(Phase.Failed);
    }

    @Test
    void aKeyReusedForOtherWorkIsAnError() {
        final AgentTaskStatus status = seen.ledger(other("another hash", Events.of(seen.task, Kind.COMPLETED)), 3)
                .said();
        assertThat(status.phase()).isEqualTo(Phase.Failed);
        assertThat(status.error().type()).isEqualTo("IdempotencyKeyReused");
        assertThat(status.error().message()).contains("AgentTask other", "a key of its own");
    }

    @Test
    void aKeyThatSomebodyWorksUnderIsAnErrorForOtherWorkToo() {
        final AgentTaskStatus status = seen.ledger(other("another hash", null), 3)
                .owner(OwnerState.UNFINISHED)
                .said();
        assertThat(status.error().type()).isEqualTo("IdempotencyKeyReused");
    }

    @Test
    void aDuplicateWaitsForTheFirst() {
        seen.ledger(other(hash(), null), 3);
        assertThat(seen.plan()).isEqualTo(new TaskPlan.AskAdmission(new Admission.FindOwner(other(hash(), null))));
        final AgentTaskStatus status = seen.owner(OwnerState.UNFINISHED).said();
        assertThat(status.phase()).isEqualTo(Phase.Pending);
        assertThat(Conditions.find(status.conditions(), "Ready").orElseThrow().getReason())
                .isEqualTo("DuplicateOf");
    }

    @Test
    void theKeyOfATaskThatIsGoneIsTakenOverByRevision() {
        seen.ledger(other("another hash", null), 3).owner(OwnerState.GONE);
        assertThat(seen.plan())
                .isEqualTo(new TaskPlan.Admit(new Admission.TakeOver(
                        other("another hash", null),
                        seen.claim(),
                        3,
                        Seen.STREAM,
                        Seen.SUBJECT + "." + seen.task.uid(),
                        Retry.NONE.complete())));
    }

    @Test
    void aRerunPassesTheLedgerBy() {
        final Seen rerun = Seen.task("idempotencyKey: k, rerun: 1")
                .status("{observedGeneration: 1, phase: Succeeded, completionTime: '2026-11-24T10:00:00Z'}");
        assertThat(rerun.plan()).isEqualTo(rerun.publish(1));
    }

    /** It was never published, and its rerun waits for its pool. */
    @Test
    void aTakenOverEndThatIsToBeDoneAgainIsNotTakenOverOnceMore() {
        final Seen rerun = Seen.task("idempotencyKey: k, rerun: 1")
                .status("{observedGeneration: 1, phase: Failed, completionTime: '2026-11-24T10:00:00Z'}");
        rerun.pool().getMetadata().setDeletionTimestamp("2026-11-24T10:00:00Z");
        rerun.status(rerun.said());
        assertThat(rerun.task.getStatus().phase()).isEqualTo(Phase.Pending);
        rerun.pool().getMetadata().setDeletionTimestamp(null);
        assertThat(rerun.plan()).isEqualTo(rerun.publish(1));
    }

    @Test
    void aTaskThatWasPublishedHasItsClaimAlready() {
        final Seen lost = Seen.task("idempotencyKey: k").queued(1).lost();
        assertThat(lost.plan()).isInstanceOf(TaskPlan.Publish.class);
    }

    @Test
    void aKeyStandsForPoolPromptModelConfigWorkspaceAndSession() {
        final String plain = hashOf("title: t");
        assertThat(hashOf(
                        "title: other, rerun: 3, retry: {maxAttempts: 2}, idempotencyKey: k, repeatPolicy: OnFailure"))
                .isEqualTo(plain);
        assertThat(hashOf("model: m")).isNotEqualTo(plain);
        assertThat(hashOf("config: {a: b}")).isNotEqualTo(plain);
        assertThat(hashOf("session: {name: talk}")).isNotEqualTo(plain);
        assertThat(hashOf("workspace: {git: {url: 'https://h/r'}}")).isNotEqualTo(plain);
        assertThat(SpecHash.of(Resources.task("ns", "task", "other-pool").getSpec()))
                .isNotEqualTo(plain);
    }

    @Test
    void theOrderInAMapIsNoDifference() {
        assertThat(hashOf("config: {a: x, b: y}")).isEqualTo(hashOf("config: {b: y, a: x}"));
    }

    private static String hashOf(String fields) {
        return SpecHash.of(Resources.task("ns", "task", "pool", fields).getSpec());
    }
}
