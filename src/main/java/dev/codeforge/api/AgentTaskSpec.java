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
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What to do, and on which pool. What is left out is resolved from the pool's {@code taskDefaults} when the task is
 * first published and shown in {@code status.effective}.
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
@JsonIgnoreProperties(ignoreUnknown = true)
@ValidationRule(value = "self == oldSelf", message = "a task's spec cannot be changed: create a new task")
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
                String projectId,
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
                @Min(1)
                @Max(604800)
                @JsonPropertyDescription(
                        "Seconds that a run may take before it is stopped and fails with RunTimeout, 1 to 604,800. Default: the pool's taskDefaults.runTimeoutSeconds.")
                Integer runTimeoutSeconds) {

    public AgentTaskSpec {
        title = title == null ? "" : title;
        projectId = projectId == null ? "" : projectId;
        model = model == null ? "" : model;
        config = config == null ? Map.of() : Map.copyOf(config);
    }
}
