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

/** What is known of a pool. */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
@JsonIgnoreProperties(ignoreUnknown = true)
public record WorkerPoolStatus(
        @JsonPropertyDescription("Generation of the spec that this status speaks of; -1 until it was first looked at.")
                Long observedGeneration,
        @JsonPropertyDescription(
                        "Ready, Reconciling and Stalled as kstatus reads them; QueueReady: stream and consumer are there; Isolated: agents reach nothing but their run, and what holds against a worker in NATS; Suspended; ReplicasIgnored while scaling decides and spec.replicas says something else; StatusRefused while the API server refuses the whole status.")
                List<Condition> conditions,
        @StatusReplicas @JsonPropertyDescription("Workers that exist.") Integer replicas,
        @JsonPropertyDescription("Workers that take tasks.") Integer readyReplicas,
        @LabelSelector @JsonPropertyDescription("Label selector of the workers' pods.") String selector,
        @Nullable @JsonPropertyDescription("The queue as last written; it is not written for every change.")
                Queue queue,
        @JsonPropertyDescription("Messages in this pool's dead letters.") Integer deadLetters,
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
            @JsonPropertyDescription("Subject on which plain messages are taken.") String subject,
            @JsonPropertyDescription("Tasks that no worker has taken.") Long waiting,
            @JsonPropertyDescription("Tasks that a worker holds.") Long running) {}

    @JsonIgnoreProperties(ignoreUnknown = true)
    public record ScalingDecision(
            @JsonPropertyDescription("Workers wanted.") Integer desired,
            @JsonPropertyDescription("Why, one of the documented reasons.") String reason,
            @JsonPropertyDescription("Tasks waiting and running when it was decided.") Long demand,
            @JsonPropertyDescription("When it was decided.") Instant decisionTime) {}
}
