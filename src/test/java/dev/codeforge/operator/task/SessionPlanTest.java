package dev.codeforge.operator.task;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import dev.codeforge.operator.status.Conditions;
import dev.codeforge.operator.task.admission.Admission;
import dev.codeforge.operator.task.admission.Candidate.OwnerState;
import dev.codeforge.operator.task.admission.SessionOrder;
import dev.codeforge.testing.Resources;
import dev.codeforge.wire.SessionObject;
import dev.codeforge.wire.SessionRecord;
import dev.codeforge.wire.SessionRecord.Turn;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What a session asks for: its tasks run one at a time, in the order of their creation. */
final class SessionPlanTest {
    private static final SessionRecord.History HISTORY =
            new SessionRecord.History("uid", 1, new SessionObject("sessions/s/uid-1-1", "digest", 5));
    private static final SessionRecord FREE = new SessionRecord("talk", null, HISTORY);

    private final Seen seen = Seen.task("session: {name: talk}");
    private final AgentTask earlier = rival("earlier", "2026-11-24T08:59:59Z");
    private final AgentTask later = rival("later", "2026-11-24T09:00:01Z");

    private static AgentTask rival(String name, String created) {
        final AgentTask task = Resources.task("ns", name, "pool", "session: {name: talk}");
        task.getMetadata().setCreationTimestamp(created);
        return task;
    }

    private static AgentTask with(AgentTask task, String status) {
        task.setStatus(Resources.of(AgentTaskStatus.class, status));
        return task;
    }

    private static SessionRecord turnOf(AgentTask task) {
        return FREE.withTurn(new Turn(task.uid(), task.getMetadata().getName()));
    }

    private TaskPlan take(Optional<Turn> former, SessionRecord record, long revision) {
        return new TaskPlan.Admit(
                new Admission.TakeTurn(former, record, revision, Seen.STREAM, Seen.SUBJECT + "." + seen.task.uid()));
    }

    private static void assertWaitsFor(String name, AgentTaskStatus status) {
        assertThat(status.phase()).isEqualTo(Phase.Pending);
        assertThat(Conditions.find(status.conditions(), "Ready")).hasValueSatisfying(ready -> {
            assertThat(ready.getReason()).isEqualTo("SessionBusy");
            assertThat(ready.getMessage()).contains("AgentTask " + name + " ", "talk", "suspended");
        });
    }

    @Test
    void aTaskWithoutASessionAsksForNothing() {
        final Seen plain = Seen.task("title: t");
        assertThat(plain.plan()).isEqualTo(plain.publish(1));
    }

    @Test
    void theRecordIsReadBeforeEachPublish() {
        assertThat(seen.plan()).isEqualTo(new TaskPlan.AskAdmission(new Admission.ReadSession()));
        assertThat(Seen.task("session: {name: talk}")
                        .between("Retrying", 1, "nextAttemptTime: '2026-11-24T11:00:00Z'")
                        .plan())
                .isEqualTo(new TaskPlan.AskAdmission(new Admission.ReadSession()));
    }

    @Test
    void theFirstTaskOfASessionTakesTheTurn() {
        assertThat(seen.session(null, 0).plan())
                .isEqualTo(take(
                        Optional.empty(), SessionRecord.fresh("talk").withTurn(new Turn(seen.task.uid(), "task")), 0));
    }

    @Test
    void theTurnIsTakenOverTheRevisionThatWasReadAndTheConversationIsKept() {
        assertThat(seen.session(FREE, 7).rivals(later).plan()).isEqualTo(take(Optional.empty(), turnOf(seen.task), 7));
    }

    @Test
    void whoHasTheTurnIsPublished() {
        assertThat(seen.session(turnOf(seen.task), 7).plan()).isEqualTo(seen.publish(1));
    }

    @Test
    void aTurnOutlivesACrashBeforeThePublishEvenWhenAnEarlierTaskHasComeUp() {
        assertThat(seen.session(turnOf(seen.task), 7).rivals(earlier).plan()).isEqualTo(seen.publish(1));
    }

    @Test
    void aTaskWaitsForTheOneThatWasCreatedBeforeIt() {
        assertWaitsFor("earlier", seen.session(FREE, 7).rivals(later, earlier).said());
    }

    @Test
    void ofSeveralBeforeItTheTaskNamesTheLast() {
        final AgentTask first = rival("first", "2026-11-24T07:00:00Z");
        assertWaitsFor(
                "earlier", seen.session(turnOf(first), 7).rivals(first, earlier).said());
    }

    @Test
    void ofTwoCreatedInTheSameSecondTheNamesTell() {
        final AgentTask before = rival("sibling", "2026-11-24T09:00:00Z");
        assertWaitsFor("sibling", seen.session(FREE, 7).rivals(before).said());
        final AgentTask after = rival("twin", "2026-11-24T09:00:00Z");
        assertThat(seen.rivals(after).plan()).isEqualTo(take(Optional.empty(), turnOf(seen.task), 7));
    }

    @Test
    void anEarlierTaskThatIsSuspendedOrWillBeTriedAgainHoldsTheSession() {
        with(earlier, "{observedGeneration: 1, phase: Suspended, attempts: 0}");
        assertWaitsFor("earlier", seen.session(FREE, 7).rivals(earlier).said());
        with(earlier, "{observedGeneration: 1, phase: Retrying, attempts: 1}");
        assertWaitsFor(
                "earlier", seen.session(turnOf(earlier), 8).rivals(earlier).said());
    }

    @Test
    void aRerunOfAnEarlierTaskWaitsForTheLaterOneThatHasTheTurn() {
        final Seen rerun = Seen.task("session: {name: talk}, rerun: 1")
                .status("{observedGeneration: 1, phase: Succeeded, attempts: 1, history: [{attempt: 1, outcome:"
                        + " Succeeded}], completionTime: '2026-11-24T10:00:00Z'}");
        assertWaitsFor("later", rerun.session(turnOf(later), 7).rivals(later).said());
        assertThat(rerun.session(FREE, 8).rivals(later).plan())
                .isInstanceOfSatisfying(
                        TaskPlan.Admit.class, plan -> assertThat(plan.write()).isInstanceOf(Admission.TakeTurn.class));
    }

    @Test
    void whoHasTheTurnAndIsNotInTheCacheIsLookedForLive() {
        seen.session(turnOf(later), 7);
        final Turn turn = new Turn(later.uid(), "later");
        assertThat(seen.plan()).isEqualTo(new TaskPlan.AskAdmission(new Admission.FindTurn(turn)));
        assertWaitsFor("later", seen.owner(OwnerState.UNFINISHED).said());
        assertThat(seen.owner(OwnerState.GONE).plan()).isEqualTo(take(Optional.of(turn), turnOf(seen.task), 7));
    }

    @Test
    void whoWasOvertakenByAnotherLooksAtThatOne() {
        final Seen late = seen.session(turnOf(later), 7).owner(OwnerState.GONE).session(turnOf(earlier), 8);
        assertThat(late.plan())
                .isEqualTo(new TaskPlan.AskAdmission(new Admission.FindTurn(new Turn(earlier.uid(), "earlier"))));
    }

    @Test
    void withTheRecordLostATaskThatHasBegunStillGoesBeforeAllOthers() {
        with(later, "{observedGeneration: 1, phase: Running, attempts: 1}");
        assertWaitsFor("later", seen.session(null, 0).rivals(later).said());
        final Seen begun = Seen.task("session: {name: talk}").queued(1).lost().session(null, 0);
        assertThat(begun.rivals(earlier).plan())
                .isInstanceOfSatisfying(
                        TaskPlan.Admit.class, plan -> assertThat(plan.write()).isInstanceOf(Admission.TakeTurn.class));
    }

    @Test
    void theQueuesClockRunsWhileATaskWaitsForItsTurn() {
        final Seen impatient = Seen.task("session: {name: talk}, queueTimeoutSeconds: 60")
                .session(FREE, 7)
                .rivals(earlier);
        assertThat(impatient.after(Duration.ofHours(1)).said().error().type()).isEqualTo("QueueTimeout");
    }

    @Test
    void aTaskThatWaitsForItsTurnCanBeCancelled() {
        final Seen cancelled = Seen.task("session: {name: talk}, cancel: true").rivals(earlier);
        assertThat(cancelled.said().phase()).isEqualTo(Phase.Cancelled);
    }

    @Test
    void whatIsSpentEndsATaskBeforeItsTurn() {
        final Seen spent = Seen.task("session: {name: talk}, budget: {maxTokens: 10}")
                .between(
                        "Retrying",
                        1,
                        "nextAttemptTime: '2026-11-24T11:00:00Z', usage: {tokensIn: 20, tokensOut: 0, costUSD: '0'}");
        assertThat(spent.said().error().type()).isEqualTo("BudgetExceeded");
    }

    @Test
    void anEndWakesTheNextInOrderAndWhoeverNamedTheEndedOne() {
        final AgentTask last = rival("last", "2026-11-24T09:00:02Z");
        assertThat(SessionOrder.after(seen.task, List.of(last, later))).containsExactly(later);
        assertThat(SessionOrder.after(later, List.of(last, seen.task, earlier))).containsExactly(earlier, last);
        assertThat(SessionOrder.after(seen.task, List.of())).isEmpty();
    }
}
