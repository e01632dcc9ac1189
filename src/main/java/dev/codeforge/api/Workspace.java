package dev.codeforge.api;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import org.jspecify.annotations.Nullable;

/** The files that a task works on. */
@JsonIgnoreProperties(ignoreUnknown = true)
public record Workspace(@Required @JsonPropertyDescription("A Git repository, cloned for the run.") Git git) {

    /** A repository, the state to start from, and where the result goes. */
    @JsonIgnoreProperties(ignoreUnknown = true)
    public record Git(
            @Required
                    @Size(min = 1, max = 2048)
                    @io.fabric8.generator.annotation.Pattern(
                            "^(https?|ssh|git)://.+|^[A-Za-z0-9._-]+@[A-Za-z0-9.-]+:.+$")
                    @JsonPropertyDescription("URL of the repository: https, http, ssh or git, or user@host:path.")
                    String url,
            @Size(max = 256)
                    @io.fabric8.generator.annotation.Pattern("^[^-].*$")
                    @Nullable
                    @JsonPropertyDescription(
                            "Branch, tag or commit to start from. Default: the repository's default branch.")
                    String ref,
            @Nullable
                    @JsonPropertyDescription(
                            "Push the agent's commit. Without it the commit is reported and then lost with the workspace.")
                    Push push) {}

    /** Where the agent's commit is pushed. */
    @JsonIgnoreProperties(ignoreUnknown = true)
    public record Push(
            @Size(max = 256)
                    @io.fabric8.generator.annotation.Pattern("^[^-].*$")
                    @Nullable
                    @JsonPropertyDescription("Branch to push to. Default: codeforge/<name of the task>.")
                    String branch) {}
}
