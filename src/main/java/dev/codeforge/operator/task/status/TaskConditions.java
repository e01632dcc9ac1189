package dev.codeforge.operator.task.status;

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
 * The conditions of a task: at most one of Ready, Reconciling and Stalled at a time, and how the task ended. On a
 * suspended or cancelled task none of them is true and Ready is absent, so that kstatus treats it as settled.
 */
public final class TaskConditions {
    /** Failures whose message was moved to the dead letters by the component that ended the attempt. */
    private static final Set<String> DEAD_LETTERED =
            Set.of("MaxDeliveriesExceeded", "PoolDeleted", "Unparsable", "InvalidTaskId", "WrongPool");

    /** One of these is true on a task without Ready. */
    private static final Set<String> SETTLED = Set.of("Suspended", "Finished");

    /** Longest message that fits a column of a terminal. */
    private static final int MESSAGE_LIMIT = 256;

    /** True while the task cannot be reconciled. */
    public static final String RECONCILE_FAILED = "ReconcileFailed";

    private final Clock clock;

    TaskConditions(Clock clock) {
        this.clock = clock;
    }

    /** Conditions of a task that has neither ended nor been suspended. */
    List<Condition> underWay(AgentTask task, String reason, String message) {
        final AgentTaskStatus before = task.statusOrUnobserved();
        final Conditions conditions = new Conditions(before.conditions(), generation(task), clock.instant())
                .remove(RECONCILE_FAILED)
                .remove(Conditions.STATUS_REFUSED)
                .set("Ready", false, reason, message)
                .set("Reconciling", true, reason, message)
                .set("Stalled", false, reason, "");
        // Conditions of an earlier end or suspension no longer hold.
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

    /** The previous conditions without a reconcile error. */
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
        return new Conditions(task.statusOrUnobserved().conditions(), generation(task), clock.instant())
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

    /** The task's conditions as one message, short enough for a column. */
    static String message(List<Condition> conditions) {
        return Conditions.find(conditions, "Ready")
                .or(() -> conditions.stream()
                        .filter(condition ->
                                SETTLED.contains(condition.getType()) && "True".equals(condition.getStatus()))
                        .findFirst())
                .map(condition -> PlainText.first(condition.getMessage(), MESSAGE_LIMIT))
                .orElse("");
    }

    public static long generation(AgentTask task) {
        return task.getMetadata().getGeneration() == null
                ? 1
                : task.getMetadata().getGeneration();
    }
}
