package dev.codeforge.operator.task.status;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.AgentTaskStatus.Usage;
import dev.codeforge.api.Budget;
import dev.codeforge.wire.TaskEvent;
import java.math.BigDecimal;
import java.util.Optional;

/** What a task has used of its budget. Each rerun starts the budget again. */
public final class BudgetCheck {
    static final Usage NOTHING = new Usage(0L, 0L, "0");

    private BudgetCheck() {}

    /** The usage at which the budget started. A rerun that is requested but not done starts it now. */
    public static Usage since(AgentTask task) {
        final AgentTaskStatus status = task.statusOrUnobserved();
        final Usage since = task.isRerunRequested() ? status.usage() : status.usageAtRerun();
        return since == null ? NOTHING : since;
    }

    /** Why no budget is left for another run; empty while some is left. */
    public static Optional<TaskEvent.Failure> exceeded(
            AgentTask task, AgentTaskStatus.Effective effective, Usage usage) {
        final Budget budget = effective.budget();
        if (budget == null) {
            return Optional.empty();
        }
        final Usage since = since(task);
        final Usage now = usage == null ? NOTHING : usage;
        final long tokens = now.tokensIn() + now.tokensOut() - since.tokensIn() - since.tokensOut();
        final BigDecimal cost = money(now.costUSD()).subtract(money(since.costUSD()));
        if (budget.maxTokens() != null && tokens >= budget.maxTokens()) {
            return Optional.of(failure(tokens + " of " + budget.maxTokens() + " tokens are used"));
        }
        if (budget.maxCostUSD() != null && cost.compareTo(money(budget.maxCostUSD())) >= 0) {
            return Optional.of(failure(cost.toPlainString() + " of " + budget.maxCostUSD() + " US dollars are spent"));
        }
        return Optional.empty();
    }

    private static TaskEvent.Failure failure(String what) {
        return new TaskEvent.Failure(
                StopReason.BUDGET_EXCEEDED,
                what
                        + " and another attempt would need more: create a task with a higher budget, or give spec.rerun a new value to"
                        + " allow as much again",
                false);
    }

    /** A worker may send text that is no amount. Such text counts as zero, so that the outcome can still be stored. */
    public static BigDecimal money(String text) {
        try {
            return new BigDecimal(text);
        } catch (NumberFormatException e) {
            return BigDecimal.ZERO;
        }
    }
}
