package dev.codeforge.operator.results;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import dev.codeforge.wire.TaskEvent;

/** Whether a task's last event tells something that its status does not. */
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

    /** Its attempt has been published and has not ended: in any other phase the status knows of the attempt's end. */
    public static boolean isUnderWay(AgentTaskStatus status) {
        return status.phase() == Phase.Queued || status.phase() == Phase.Running;
    }
}
