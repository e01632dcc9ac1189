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
                            "Whether and where the worker pushes the agent's commit. Without push the worker reports the commit and then removes it with the workspace; the artifacts contain its patch.")
                    Push push,
            // Omitted when unset: the hash of workspaces in the ledger is older than this field.
            @Nullable
                    @JsonInclude(JsonInclude.Include.NON_NULL)
                    @Min(1)
                    @Max(1_000_000)
                    @JsonPropertyDescription(
                            "Number of commits of history that are cloned, 1 to 1,000,000. Default 1: only the commit that is checked out.")
                    Integer depth,
            @Nullable
                    @JsonInclude(JsonInclude.Include.NON_NULL)
                    @JsonPropertyDescription(
                            "If true, the worker also clones the submodules, and theirs: at most 100, 5 levels deep, each with the pool's credential for its URL. Changes inside of them are not kept. Default false.")
                    Boolean submodules,
            @Nullable
                    @JsonInclude(JsonInclude.Include.NON_NULL)
                    @JsonPropertyDescription(
                            "If true, the worker fetches files of Git LFS from the repository's own server and stores changed ones there. Default false: such files are pointers.")
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
                            "OnSuccess: the worker pushes the commit of a successful run. Never: it pushes nothing, as without push; an overlay can disable the push by this value.")
                    PushPolicy policy,
            @Size(max = 256)
                    @io.fabric8.generator.annotation.Pattern("^[^-].*$")
                    @Nullable
                    @JsonPropertyDescription(
                            "Branch to push to. Default: codeforge/<name of the task>, with -lock for .lock at its end.")
                    String branch,
            @Nullable
                    @JsonInclude(JsonInclude.Include.NON_NULL)
                    @JsonPropertyDescription(
                            "With OnSuccess: where the worker stores the work of a run that failed, timed out, was cancelled or used up its budget. Artifact (default): as changes.patch among the artifacts. Push: there, and on the branch <branch>-failed-<attempt>, with the trailer Codeforge-Failure. The push branch itself has successes only.")
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
