package dev.codeforge.api;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.model.annotation.LabelSelector;
import io.fabric8.kubernetes.model.annotation.StatusReplicas;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The observed state of a pool. */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
@JsonIgnoreProperties(ignoreUnknown = true)
public record WorkerPoolStatus(
        @JsonPropertyDescription("Generation of the spec that this status describes; -1 before the first reconcile.")
                Long observedGeneration,
        @JsonPropertyDescription(
                        "Ready, Reconciling and Stalled as kstatus defines them; QueueReady: stream and consumer exist; Isolated: agents reach nothing but their own run, with the limits of a worker in NATS in its message; Suspended; ReplicasIgnored while scaling sets the number of workers and spec.replicas differs from 1; StatusRefused while the API server rejects the complete status.")
                List<Condition> conditions,
        @StatusReplicas @JsonPropertyDescription("Number of workers that exist.") Integer replicas,
        @JsonPropertyDescription("Number of workers that take tasks.") Integer readyReplicas,
        @LabelSelector @JsonPropertyDescription("Label selector of the workers' pods.") String selector,
        @Nullable
                @JsonPropertyDescription(
                        "The queue at the last status write; not every change of the queue is written.")
                Queue queue,
        @JsonPropertyDescription("Number of this pool's dead letters.") Integer deadLetters,
        @Nullable @JsonPropertyDescription("The last decision on the number of workers.") ScalingDecision scaling) {

    public WorkerPoolStatus {
        observedGeneration = observedGeneration == null ? -1L : observedGeneration;
        conditions = conditions == null ? List.of() : List.copyOf(conditions);
        replicas = replicas == null ? 0 : replicas;
        readyReplicas = readyReplicas == null ? 0 : readyReplicas;
        selector = selector == null ? "" : selector;
        deadLetters = deadLetters == null ? 0 : deadLetters;
    }

    /** True if the two differ only in counts, including those in the conditions' messages. */
    public boolean saysTheSameAs(WorkerPoolStatus other) {
        return observedGeneration.equals(other.observedGeneration)
                && verdicts().equals(other.verdicts())
                && selector.equals(other.selector)
                && deadLetters.equals(other.deadLetters)
                && Objects.equals(scaling, other.scaling);
    }

    private List<List<String>> verdicts() {
        return conditions.stream()
                .map(condition -> List.of(condition.getType(), condition.getStatus(), condition.getReason()))
                .toList();
    }

    /** The status of a pool that was never reconciled. */
    public static WorkerPoolStatus unobserved() {
        return new WorkerPoolStatus(null, null, null, null, null, null, null, null);
    }

    @JsonIgnoreProperties(ignoreUnknown = true)
    public record Queue(
            @JsonPropertyDescription("JetStream stream.") String stream,
            @JsonPropertyDescription("Subject on which the pool accepts plain messages.") String subject,
            @JsonPropertyDescription("Number of tasks that no worker has taken.") Long waiting,
            @JsonPropertyDescription("Number of tasks that a worker holds.") Long running) {}

    @JsonIgnoreProperties(ignoreUnknown = true)
    public record ScalingDecision(
            @JsonPropertyDescription("Desired number of workers.") Integer desired,
            @JsonPropertyDescription("The reason of the decision, one of the documented reasons.") String reason,
            @JsonPropertyDescription("Number of waiting and running tasks at the decision.") Long demand,
            @JsonPropertyDescription("When the decision was made.") Instant decisionTime) {}
}
