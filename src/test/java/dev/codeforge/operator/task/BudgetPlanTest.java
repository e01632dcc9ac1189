package dev.codeforge.operator.task;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.AgentTaskStatus.Usage;
import dev.codeforge.api.Phase;
import dev.codeforge.operator.task.status.BudgetCheck;
import dev.codeforge.testing.Events;
import dev.codeforge.wire.TaskEvent;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A budget spans attempts: what is left decides whether there is another. Each run of these uses 7 tokens and $0.05. */
final class BudgetPlanTest {
    private static final String RETRIED = "retry: {maxAttempts: 3, backoffSeconds: 60}, budget: ";
    private static final String USED = "usage: {tokensIn: 3, tokensOut: 4, costUSD: '0.05'}";

    private static TaskEvent failed(Seen seen) {
        return Events.failed(seen.task, 1, "CommandFailed", "exit code 1", true);
    }

    @ParameterizedTest
    @ValueSource(strings = {"{maxTokens: 8}", "{maxCostUSD: '0.051'}", "{maxTokens: 8, maxCostUSD: '1'}"})
    void aFailedAttemptIsFollowedByAnotherWhileSomethingIsLeft(String budget) {
        final Seen seen = Seen.task(RETRIED + budget).running(1);
        assertThat(seen.event(failed(seen)).said().phase()).isEqualTo(Phase.Retrying);
    }

    @ParameterizedTest
    @ValueSource(strings = {"{maxTokens: 7}", "{maxCostUSD: '0.05'}", "{maxTokens: 8, maxCostUSD: '0.0500'}"})
    void aFailedAttemptThatLeftNothingIsTheLast(String budget) {
        final Seen seen = Seen.task(RETRIED + budget).running(1);
        final AgentTaskStatus status = seen.event(failed(seen)).said();
        assertThat(status.phase()).isEqualTo(Phase.Failed);
        assertThat(status.error().type()).isEqualTo("BudgetExceeded");
        assertThat(status.error().retryable()).isFalse();
        assertThat(status.error().message()).contains("CommandFailed: exit code 1", "give spec.rerun a new value");
        assertThat(status.usage()).isEqualTo(new Usage(3L, 4L, "0.05"));
    }

    @Test
    void aPoolsBudgetAppliesToTasksThatSayNothing() {
        final Seen seen = Seen.task("title: t")
                .status(
                        "{observedGeneration: 1, phase: Running, attempts: 1, effective: {retry: {maxAttempts: 2}, budget:"
                                + " {maxTokens: 7}}}");
        assertThat(seen.event(failed(seen)).said().error().type()).isEqualTo("BudgetExceeded");
    }

    @Test
    void aTaskThatIsResumedWithNothingLeftIsNotPublished() {
        final Seen seen = Seen.task("budget: {maxTokens: 7}").between("Suspended", 1, USED);
        final AgentTaskStatus status = seen.said();
        assertThat(status.phase()).isEqualTo(Phase.Failed);
        assertThat(status.error().type()).isEqualTo("BudgetExceeded");
    }

    @Test
    void aMessageThatWasLostIsNotPublishedAgainWithNothingLeft() {
        final Seen seen = Seen.task("budget: {maxTokens: 7}")
                .status("{observedGeneration: 1, phase: Queued, attempts: 1, queue: {stream: s, sequence: 7}, " + USED
                        + "}")
                .heldByNobody();
        assertThat(seen.plan())
                .isInstanceOfSatisfying(
                        TaskPlan.End.class, end -> assertThat(end.stop().type()).isEqualTo("BudgetExceeded"));
    }

    @Test
    void aRerunMayUseAsMuchAgain() {
        final Seen seen = Seen.task("rerun: 1, budget: {maxTokens: 7}").between("Failed", 1, USED);
        assertThat(seen.plan()).isEqualTo(seen.publish(2));
    }

    @Test
    void theBudgetBeginsWhereTheRerunDid() {
        final Seen seen = Seen.task("rerun: 1, retry: {maxAttempts: 3}, budget: {maxTokens: 8}")
                .between("Failed", 1, USED + ", failedAttempts: 1")
                .standing(2);
        final AgentTaskStatus queued = seen.said();
        assertThat(queued.rerun()).isEqualTo("1");
        assertThat(queued.usageAtRerun()).isEqualTo(new Usage(3L, 4L, "0.05"));
        assertThat(BudgetCheck.exceeded(seen.status(queued).task, queued.effective(), new Usage(6L, 8L, "0.1")))
                .isEmpty();
        assertThat(BudgetCheck.exceeded(seen.task, queued.effective(), new Usage(7L, 8L, "0.1")))
                .isPresent();
    }

    @Test
    void whatIsNotKnownOfACallIsNotForgotten() {
        final Seen seen = Seen.task("title: t")
                .status("{phase: Running, attempts: 1, usage: {tokensIn: 1, tokensOut: 1, costUSD: '0',"
                        + " unmeteredCalls: 2}}");
        assertThat(seen.event(failed(seen)).said().usage()).isEqualTo(new Usage(3L, 4L, "0.05", 2L));
    }
}
