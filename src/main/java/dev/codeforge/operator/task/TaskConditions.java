package dev.codeforge.operator.task;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import dev.codeforge.operator.status.Conditions;
import dev.codeforge.operator.status.Reason;
import dev.codeforge.operator.status.ReconcileError;
import dev.codeforge.wire.PlainText;
import io.fabric8.kubernetes.api.model.Condition;
import java.time.Clock;
import java.util.List;
import java.util.Set;

/**
 * The conditions of a task: at most one of Ready, Reconciling and Stalled at a time, and how it ended. A task that was held back or
 * cancelled is as its spec asks: none of them is true of it, and Ready is not there, so that kstatus takes it for settled.
 */
final class TaskConditions {
    /** Failures whose message was put aside by whoever ended the attempt. */
    private static final Set<String> DEAD_LETTERED =
            Set.of("MaxDeliveriesExceeded", "PoolDeleted", "Unparsable", "InvalidTaskId", "MessageTerminated");

    /** One of them is true of a task without Ready. */
    private static final Set<String> SETTLED = Set.of("Suspended", "Finished");

    /** The most of a message that a column of a terminal bears. */
    private static final int MESSAGE_LIMIT = 256;

    /** There while the task cannot be reconciled. */
    static final String RECONCILE_FAILED = "ReconcileFailed";

    private final Clock clock;

    TaskConditions(Clock clock) {
        this.clock = clock;
    }

    /** Neither ended nor held back. */
    List<Condition> underWay(AgentTask task, String reason, String message) {
        final AgentTaskStatus before = TaskDeadlines.statusOf(task);
        final Conditions conditions = new Conditions(before.conditions(), generation(task), clock.instant())
                .remove(RECONCILE_FAILED)
                .remove(Conditions.STATUS_REFUSED)
                .set("Ready", false, reason, message)
                .set("Reconciling", true, reason, message)
                .set("Stalled", false, reason, "");
        // What an earlier end or suspension said is true no more.
        for (final String type : List.of("Suspended", "Complete", "Failed", "Cancelled", "Finished", "DeadLettered")) {
            if (Conditions.isTrue(before.conditions(), type)) {
                conditions.set(type, false, reason, "");
            }
        }
        return conditions.list();
    }

    List<Condition> outcome(AgentTask task, Phase outcome, String reason, String message) {
        final boolean succeeded = outcome == Phase.Succeeded;
        final boolean failed = outcome == Phase.Failed;
        final Conditions conditions = new Conditions(underWay(task, reason, message), generation(task), clock.instant())
                .set("Reconciling", false, reason, "")
                .set("Stalled", failed, reason, failed ? message : "")
                .set(succeeded ? "Complete" : outcome.name(), true, reason, message)
                .set("Finished", true, reason, message);
        if (outcome == Phase.Cancelled) {
            conditions.remove("Ready");
        } else {
            conditions.set("Ready", succeeded, reason, message);
        }
        if (DEAD_LETTERED.contains(reason)) {
            conditions.set("DeadLettered", true, reason, "The task's message is kept in the stream DEADLETTERS.");
        }
        return conditions.list();
    }

    /** What was said before, without an error that is over. */
    List<Condition> reconciled(AgentTask task, List<Condition> said) {
        return new Conditions(said, generation(task), clock.instant())
                .remove(RECONCILE_FAILED)
                .list();
    }

    List<Condition> failed(AgentTask task, List<Condition> said, ReconcileError error) {
        return new Conditions(said, generation(task), clock.instant())
                .set(RECONCILE_FAILED, true, error.reason(), error.message())
                .list();
    }

    List<Condition> smallest(AgentTask task, List<Condition> refused, String why) {
        return new Conditions(TaskDeadlines.statusOf(task).conditions(), generation(task), clock.instant())
                .refused(refused, why)
                .list();
    }

    List<Condition> suspended(AgentTask task) {
        final String message = Reason.Suspended.sentence();
        return new Conditions(underWay(task, Reason.Suspended.name(), message), generation(task), clock.instant())
                .remove("Ready")
                .set("Reconciling", false, Reason.Suspended, "")
                .set("Suspended", true, Reason.Suspended, message)
                .list();
    }

    /** What the conditions say of the task, short enough for a column. */
    static String message(List<Condition> conditions) {
        return Conditions.find(conditions, "Ready")
                .or(() -> conditions.stream()
                        .filter(condition ->
                                SETTLED.contains(condition.getType()) && "True".equals(condition.getStatus()))
                        .findFirst())
                .map(condition -> PlainText.first(condition.getMessage(), MESSAGE_LIMIT))
                .orElse("");
    }

    static long generation(AgentTask task) {
        return task.getMetadata().getGeneration() == null
                ? 1
                : task.getMetadata().getGeneration();
    }
}
