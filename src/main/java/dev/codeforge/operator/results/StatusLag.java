package dev.codeforge.operator.results;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import dev.codeforge.wire.TaskEvent;

/** Whether a task's last event reports something that its status does not show. */
public final class StatusLag {
    private StatusLag() {}

    public static boolean isBehind(AgentTask task, TaskEvent event) {
        final AgentTaskStatus status = task.observedStatus().orElseGet(AgentTaskStatus::unobserved);
        // A status in a phase of a newer operator is that operator's to compare.
        if (task.isFinished() || status.phase() == Phase.Unknown || event.attempt() < status.attempts()) {
            return false;
        }
        if (event.attempt() > status.attempts()) {
            return true;
        }
        return isUnderWay(status)
                && switch (event.kind()) {
                    case COMPLETED, FAILED, CANCELLED -> true;
                    case RELEASED -> status.phase() == Phase.Running || status.deliveries() != event.delivery();
                    case RUNNING, PROGRESS ->
                        status.phase() == Phase.Queued
                                || status.deliveries() != event.delivery()
                                || !status.podName().equals(event.worker());
                };
    }

    /** True if the current attempt is published and has not ended: any other phase shows the attempt's end. */
    public static boolean isUnderWay(AgentTaskStatus status) {
        return status.phase() == Phase.Queued || status.phase() == Phase.Running;
    }
}
