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
        @Size(max = 256) @JsonPropertyDescription("A short name for people; agents may see it.") String title,
        @Required
                @Size(min = 1, max = 65536)
                @Pattern("\\S")
                @JsonPropertyDescription(
                        "What the agent is asked to do, in its own words. 1 to 65,536 characters, not blank.")
                String prompt,
        @Size(max = 128) @JsonPropertyDescription("CodeForge's project, carried through to the result unchanged.")
                String projectID,
        @Size(max = 256)
                @JsonPropertyDescription(
                        "The language model's name. Default: the pool's taskDefaults.model, else the worker's own.")
                String model,
        @Size(max = 64)
                @JsonPropertyDescription(
                        "Settings of the backend, key by key over the pool's taskDefaults.config. A key that the backend does not know fails the task with InvalidConfig.")
                Map<String, String> config,
        @Nullable @JsonPropertyDescription("The files that the agent works on. Default: an empty folder.")
                Workspace workspace,
        @Nullable
                @JsonPropertyDescription(
                        "The conversation that the task continues. Default: none, the agent begins anew.")
                Session session,
        @Nullable
                @Min(1)
                @Max(604800)
                @JsonPropertyDescription(
                        "Seconds that a run may take before it is stopped and fails with RunTimeout, 1 to 604,800. Default: the pool's taskDefaults.runTimeoutSeconds.")
                Integer runTimeoutSeconds,
        @Nullable
                @Min(1)
                @Max(2592000)
                @JsonPropertyDescription(
                        "Seconds that the task may wait for a worker before it fails with QueueTimeout, 1 to 2,592,000. Counted anew for each attempt. Default: the pool's taskDefaults.queueTimeoutSeconds, else no limit.")
                Integer queueTimeoutSeconds,
        @Nullable
                @JsonPropertyDescription(
                        "When a failed attempt is tried again. Default: the pool's taskDefaults.retry.")
                Retry retry,
        @Nullable
                @JsonPropertyDescription(
                        "What the agent may use of its model, over all attempts since creation or the last rerun. Needs a pool whose agents reach the model by OPENAI_API_BASE or OPENAI_API_KEY. Default: the pool's taskDefaults.budget, else no limit.")
                Budget budget,
        @Nullable
                @JsonPropertyDescription(
                        "What happens when a worker is lost in the middle of a run. AtLeastOnce (default): another continues with what was pushed. ResetThenRetry: another begins anew from the ref, and replaces what the first pushed. AtMostOnce: the task fails with MayHaveRun and is never run again.")
                DeliveryMode delivery,
        @Nullable
                @Size(min = 1, max = 253)
                @JsonPropertyDescription(
                        "Names the work, 1 to 253 characters, within the namespace: a task that is created with the key of one that has ended takes over that end, be it success, failure or cancellation, instead of running; a failure before any run had begun is none. A key is remembered while a task with it is there, and three weeks more. The key with another pool, prompt, config, model, workspace or session is an error.")
                String idempotencyKey,
        @Nullable
                @JsonPropertyDescription(
                        "What the task does if its idempotencyKey stands for work that has ended. Never (default): it takes that end over, whatever it was. OnFailure: it runs after a failure. UnlessSucceeded: it runs after a failure or a cancellation. Without a key each task runs.")
                RepeatPolicy repeatPolicy,
        @Nullable
                @Size(max = 40)
                @Pattern(
                        "^[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?(Z|[+-](0[0-9]|1[0-7]):[0-5][0-9])$")
                @JsonPropertyDescription(
                        "The time after which no attempt begins, such as 2026-12-24T18:00:00Z: the task then fails with NotAfterPassed, or takes over the end that its idempotencyKey stands for. A restore of old manifests or of etcd runs nothing that was to be done by then. A run that has begun goes on, also on another worker; a retry and a rerun are attempts. Default: no limit.")
                Instant notAfter,
        @Nullable
                @JsonPropertyDescription(
                        "Holds the task back while true; a run is stopped. Back to false, the task begins a new attempt, which does not count as a retry. May be changed.")
                Boolean suspend,
        @Nullable
                @JsonPropertyDescription(
                        "Ends the task: a waiting one at once, a run when its agent has stopped. May be changed; a cancelled task stays so until rerun.")
                Boolean cancel,
        @Size(max = 64)
                @Pattern("^[A-Za-z0-9._:+-]*$")
                @JsonPropertyDescription(
                        "A token of your choice, such as the time: each new value runs an ended task again, once; while the task has not ended it waits for its end. The value at the task's creation runs nothing, nor does removing it. At most 64 letters, digits, '.', '_', ':', '+' or '-'. May be changed.")
                String rerun,
        @Nullable
                @Min(0)
                @Max(31536000)
                @JsonPropertyDescription(
                        "Seconds after its end at which the task is deleted, 0 to 31,536,000. Default: the pool's taskDefaults.ttlSecondsAfterFinished, else never. Needs idempotencyKey or generateName: without them a GitOps tool would create the task anew and pay again. May be changed.")
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
                            "Name of the session within the pool: 1 to 63 lower-case letters, digits or '-', beginning and ending with a letter or digit. The tasks of a session run one at a time, in the order of their creation, those of one second in the order of their names: a later one waits as SessionBusy until those before it have ended, its queueTimeoutSeconds running, and begins with the conversation of the last one that succeeded, on any worker. A session is forgotten 30 days after its last task.")
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
