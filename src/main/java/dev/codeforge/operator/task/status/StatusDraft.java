package dev.codeforge.operator.task.status;

import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import io.fabric8.kubernetes.api.model.Condition;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A mutable copy of a status. Fields that are not set keep their value. */
final class StatusDraft {
    long observedGeneration;

    @Nullable
    Phase phase;

    String message;
    List<Condition> conditions;
    int attempts;
    int deliveries;
    int failedAttempts;
    String rerun;
    List<AgentTaskStatus.HistoryEntry> history;
    String podName;
    AgentTaskStatus.@Nullable QueuePosition queue;

    @Nullable
    Instant nextAttemptTime;

    @Nullable
    Instant queuedTime;

    @Nullable
    Instant startTime;

    @Nullable
    Instant stopRequestedTime;

    @Nullable
    Instant completionTime;

    AgentTaskStatus.@Nullable Effective effective;
    AgentTaskStatus.@Nullable Result result;
    AgentTaskStatus.@Nullable Usage usage;
    AgentTaskStatus.@Nullable Usage usageAtRerun;
    AgentTaskStatus.@Nullable Failure error;

    StatusDraft(AgentTaskStatus before) {
        observedGeneration = before.observedGeneration();
        phase = before.phase();
        message = before.message();
        conditions = before.conditions();
        attempts = before.attempts();
        deliveries = before.deliveries();
        failedAttempts = before.failedAttempts();
        rerun = before.rerun();
        history = before.history();
        podName = before.podName();
        queue = before.queue();
        nextAttemptTime = before.nextAttemptTime();
        queuedTime = before.queuedTime();
        startTime = before.startTime();
        stopRequestedTime = before.stopRequestedTime();
        completionTime = before.completionTime();
        effective = before.effective();
        result = before.result();
        usage = before.usage();
        usageAtRerun = before.usageAtRerun();
        error = before.error();
    }

    AgentTaskStatus build() {
        return new AgentTaskStatus(
                observedGeneration,
                phase,
                message,
                conditions,
                attempts,
                deliveries,
                failedAttempts,
                rerun,
                history,
                podName,
                queue,
                nextAttemptTime,
                queuedTime,
                startTime,
                stopRequestedTime,
                completionTime,
                effective,
                result,
                usage,
                usageAtRerun,
                error);
    }
}
