package dev.codeforge.api;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
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
                            "Whether and where the agent's commit is pushed. Without it the commit is reported and then lost with the workspace; its patch is kept among the artifacts.")
                    Push push,
            // Omitted when unset: the hash of workspaces in the ledger is older than this field.
            @Nullable
                    @JsonInclude(JsonInclude.Include.NON_NULL)
                    @Min(1)
                    @Max(1_000_000)
                    @JsonPropertyDescription(
                            "Commits of history that are cloned, 1 to 1,000,000. Default 1: none but the one that is checked out.")
                    Integer depth,
            @Nullable
                    @JsonInclude(JsonInclude.Include.NON_NULL)
                    @JsonPropertyDescription(
                            "Clones the submodules too, and theirs, while true: at most 100, 5 levels deep, each with the pool's credential for its URL. What is changed in them is not kept. Default false.")
                    Boolean submodules,
            @Nullable
                    @JsonInclude(JsonInclude.Include.NON_NULL)
                    @JsonPropertyDescription(
                            "Fetches the files that Git LFS keeps, from the repository's own server, and stores changed ones there, while true. Default false: such files are pointers.")
                    Boolean lfs) {
        public Git(String url, @Nullable String ref, @Nullable Push push) {
            this(url, ref, push, null, null, null);
        }
    }

    /** Where the agent's commit is pushed. */
    @JsonIgnoreProperties(ignoreUnknown = true)
    public record Push(
            @Required
                    @JsonPropertyDescription(
                            "OnSuccess: the commit of a run that succeeds is pushed. Never: nothing is, as without push, for an overlay that turns it off.")
                    PushPolicy policy,
            @Size(max = 256)
                    @io.fabric8.generator.annotation.Pattern("^[^-].*$")
                    @Nullable
                    @JsonPropertyDescription("Branch to push to. Default: codeforge/<name of the task>.")
                    String branch,
            @Nullable
                    @JsonInclude(JsonInclude.Include.NON_NULL)
                    @JsonPropertyDescription(
                            "Under OnSuccess, where the work of a run that failed, timed out, was cancelled or used up its budget is kept. Artifact (default): as changes.patch among the artifacts. Push: there, and on the branch <branch>-failed-<attempt>, with the trailer Codeforge-Failure. The push branch itself has successes alone.")
                    OnFailure onFailure) {}

    public enum PushPolicy {
        OnSuccess,
        Never
    }

    /** Where the work of a failed run is kept. */
    public enum OnFailure {
        Artifact,
        Push
    }
}
