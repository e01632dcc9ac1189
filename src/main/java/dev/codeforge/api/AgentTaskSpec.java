package dev.codeforge.api;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import java.time.Instant;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What to do, and on which pool. What is left out is resolved from the pool's {@code taskDefaults} when the task is
 * first published and shown in {@code status.effective}. Only {@code suspend}, {@code cancel}, {@code rerun} and
 * {@code ttlSecondsAfterFinished} may be changed; the CRD's rule on that is made from this record.
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
@JsonIgnoreProperties(ignoreUnknown = true)
@ValidationRule(
        value =
                "!has(self.delivery) || self.delivery != 'AtMostOnce' || !has(self.retry) || !has(self.retry.maxAttempts) || self.retry.maxAttempts == 1",
        message = "an AtMostOnce task has one attempt: leave retry out, or set retry.maxAttempts to 1")
@ValidationRule(
        value =
                "!(has(self.cancel) && self.cancel && has(self.rerun) && self.rerun != '' && (!has(oldSelf.rerun) || self.rerun != oldSelf.rerun))",
        message = "a cancelled task is run again by setting cancel to false together with a new value of rerun")
public record AgentTaskSpec(
        @Required @JsonPropertyDescription("The WorkerPool of this namespace that runs the task.")
                WorkerPoolRef workerPoolRef,
        @Size(max = 256) @JsonPropertyDescription("A short title for people. Agents can read it.") String title,
        @Required
                @Size(min = 1, max = 65536)
                @Pattern("\\S")
                @JsonPropertyDescription("The instructions for the agent, 1 to 65,536 characters, not blank.")
                String prompt,
        @Size(max = 128)
                @JsonPropertyDescription("The project in CodeForge. The operator copies it unchanged to the result.")
                String projectID,
        @Size(max = 256)
                @JsonPropertyDescription(
                        "The language model's name. Default: the pool's taskDefaults.model, otherwise the worker's own.")
                String model,
        @Size(max = 64)
                @JsonPropertyDescription(
                        "Settings of the backend. Each key overrides the same key of the pool's taskDefaults.config. The task fails with InvalidConfig if the backend does not know a key.")
                Map<String, String> config,
        @Nullable @JsonPropertyDescription("The files that the agent works on. Default: an empty folder.")
                Workspace workspace,
        @Nullable
                @JsonPropertyDescription(
                        "The conversation that the task continues. Default: none, the agent starts a new conversation.")
                Session session,
        @Nullable
                @Min(1)
                @Max(604800)
                @JsonPropertyDescription(
                        "Seconds that a run may take, 1 to 604,800. The worker stops a longer run, which fails with RunTimeout. Default: the pool's taskDefaults.runTimeoutSeconds.")
                Integer runTimeoutSeconds,
        @Nullable
                @Min(1)
                @Max(2592000)
                @JsonPropertyDescription(
                        "Seconds that the task may wait for a worker before it fails with QueueTimeout, 1 to 2,592,000. The time starts again for each attempt. Default: the pool's taskDefaults.queueTimeoutSeconds, otherwise no limit.")
                Integer queueTimeoutSeconds,
        @Nullable
                @JsonPropertyDescription(
                        "Whether and when a failed attempt is retried. Default: the pool's taskDefaults.retry.")
                Retry retry,
        @Nullable
                @JsonPropertyDescription(
                        "Limits of the model's usage by the agent, over all attempts since creation or the last rerun. Requires a pool whose agents reach the model by OPENAI_API_BASE or OPENAI_API_KEY. Default: the pool's taskDefaults.budget, otherwise no limit.")
                Budget budget,
        @Nullable
                @JsonPropertyDescription(
                        "What happens when a worker is lost during a run. AtLeastOnce (default): another worker continues from the pushed commits. ResetThenRetry: another worker starts over from the ref, and its push replaces the first worker's push. AtMostOnce: the task fails with MayHaveRun and never runs again.")
                DeliveryMode delivery,
        @Nullable
                @Size(min = 1, max = 253)
                @JsonPropertyDescription(
                        "Identifies the work within the namespace, 1 to 253 characters. A task that is created with the key of an ended task adopts that end (success, failure or cancellation) instead of running. A failure before the first run does not count as an end. The operator remembers a key while a task with this key exists, and for three weeks after that. A task that uses the key with another pool, prompt, config, model, workspace or session fails.")
                String idempotencyKey,
        @Nullable
                @JsonPropertyDescription(
                        "What the task does if the work of its idempotencyKey has ended. Never (default): it adopts that end, whatever it is. OnFailure: it runs after a failure. UnlessSucceeded: it runs after a failure or a cancellation. A task without a key always runs.")
                RepeatPolicy repeatPolicy,
        @Nullable
                @Size(max = 40)
                @Pattern(
                        "^[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?(Z|[+-](0[0-9]|1[0-7]):[0-5][0-9])$")
                @JsonPropertyDescription(
                        "The time after which no attempt starts, such as 2026-12-24T18:00:00Z. The task then fails with NotAfterPassed, or adopts the recorded end of its idempotencyKey. So a restore of old manifests or of etcd does not run work that was due before this time. A run that has started continues, also on another worker. A retry and a rerun are attempts too. Default: no limit.")
                Instant notAfter,
        @Nullable
                @JsonPropertyDescription(
                        "While true, the task does not run, and a worker that runs it stops. When the value is false again, the task starts a new attempt, which does not count as a retry. May be changed.")
                Boolean suspend,
        @Nullable
                @JsonPropertyDescription(
                        "Ends the task: a waiting task at once, a running one when its agent has stopped. May be changed; a cancelled task remains cancelled until a rerun.")
                Boolean cancel,
        @Size(max = 64)
                @Pattern("^[A-Za-z0-9._:+-]*$")
                @JsonPropertyDescription(
                        "A token of your choice, such as the time. Each new value runs an ended task once more; if the task has not ended, the rerun starts after its end. The value at the task's creation runs nothing, and neither does the removal of the value. At most 64 letters, digits, '.', '_', ':', '+' or '-'. May be changed.")
                String rerun,
        @Nullable
                @Min(0)
                @Max(31536000)
                @JsonPropertyDescription(
                        "Seconds after its end when the operator deletes the task, 0 to 31,536,000. Default: the pool's taskDefaults.ttlSecondsAfterFinished, otherwise never. Requires idempotencyKey or generateName: without them a GitOps tool would recreate the task and pay again. May be changed.")
                Integer ttlSecondsAfterFinished) {

    /** The fields that may be changed in a task's life. */
    public static final Set<String> MUTABLE = Set.of("suspend", "cancel", "rerun", "ttlSecondsAfterFinished");

    public AgentTaskSpec {
        title = title == null ? "" : title;
        projectID = projectID == null ? "" : projectID;
        model = model == null ? "" : model;
        config = config == null ? Map.of() : Map.copyOf(config);
        delivery = delivery == null ? DeliveryMode.AtLeastOnce : delivery;
        repeatPolicy = repeatPolicy == null ? RepeatPolicy.Never : repeatPolicy;
        suspend = suspend != null && suspend;
        cancel = cancel != null && cancel;
        rerun = rerun == null ? "" : rerun;
    }

    /** The name of the task's session; empty for none. */
    public String sessionName() {
        return session == null ? "" : session.name();
    }

    /** A conversation of several tasks. */
    @JsonIgnoreProperties(ignoreUnknown = true)
    public record Session(
            @Required
                    @Size(min = 1, max = 63)
                    @Pattern("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
                    @JsonPropertyDescription(
                            "Name of the session within the pool: 1 to 63 lower-case letters, digits or '-', with a letter or digit at both ends. The tasks of a session run one at a time, in the order of their creation; tasks that were created in the same second run in the order of their names. A later task waits with the reason SessionBusy until the earlier tasks have ended; its queueTimeoutSeconds includes this time. It continues the conversation of the last task that succeeded, on any worker. The session is deleted 30 days after its last task.")
                    String name) {}

    /** After which ends of the same work the task runs all the same. */
    public enum RepeatPolicy {
        Never,
        OnFailure,
        UnlessSucceeded
    }

    /** What happens when a worker is lost during a run. */
    public enum DeliveryMode {
        AtLeastOnce,
        AtMostOnce,
        ResetThenRetry
    }
}
