package dev.codeforge.operator.task;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import dev.codeforge.operator.status.Conditions;
import dev.codeforge.operator.task.TaskSnapshot.OwnerState;
import dev.codeforge.testing.Events;
import dev.codeforge.testing.Resources;
import dev.codeforge.wire.LedgerRecord;
import dev.codeforge.wire.TaskEvent;
import dev.codeforge.wire.TaskEvent.Kind;
import org.junit.jupiter.api.Test;

/** What an idempotency key asks for. */
final class ClaimPlannerTest {
    private final Seen seen = Seen.task("idempotencyKey: k");

    private LedgerRecord other(String hash, TaskEvent outcome) {
        return new LedgerRecord("other-uid", "ns", "pool", "other", hash, outcome);
    }

    private String hash() {
        return SpecHash.of(seen.task.getSpec());
    }

    @Test
    void theLedgerIsReadBeforeTheFirstPublish() {
        assertThat(seen.plan()).isEqualTo(new TaskPlan.ReadLedger());
    }

    @Test
    void aKeyThatNobodyHasIsClaimedBeforeTheFirstPublish() {
        assertThat(seen.ledger(null, 0).plan()).isEqualTo(new TaskPlan.Claim(ClaimPlanner.claim(seen.task), 0));
    }

    @Test
    void theTaskThatHasTheKeyIsPublished() {
        assertThat(seen.ledger(ClaimPlanner.claim(seen.task), 3).plan()).isEqualTo(seen.publish(1));
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
        assertThat(seen.plan()).isEqualTo(new TaskPlan.FindOwner(other(hash(), null)));
        final AgentTaskStatus status = seen.owner(OwnerState.UNFINISHED).said();
        assertThat(status.phase()).isEqualTo(Phase.Pending);
        assertThat(Conditions.find(status.conditions(), "Ready").orElseThrow().getReason())
                .isEqualTo("DuplicateOf");
    }

    @Test
    void theKeyOfATaskThatIsGoneIsTakenOverByRevision() {
        seen.ledger(other("another hash", null), 3).owner(OwnerState.GONE);
        assertThat(seen.plan())
                .isEqualTo(new TaskPlan.TakeOver(
                        other("another hash", null),
                        ClaimPlanner.claim(seen.task),
                        3,
                        Seen.STREAM,
                        Seen.SUBJECT + "." + seen.task.uid()));
    }

    @Test
    void aRerunPassesTheLedgerBy() {
        final Seen rerun = Seen.task("idempotencyKey: k, rerun: 1")
                .status("{observedGeneration: 1, phase: Succeeded, completionTime: '2026-11-24T10:00:00Z'}");
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
        assertThat(hashOf("title: other, rerun: 3, retry: {maxAttempts: 2}")).isEqualTo(plain);
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
