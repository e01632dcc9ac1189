package dev.codeforge.api;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.crd.generator.annotation.PreserveUnknownFields;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import io.fabric8.kubernetes.model.annotation.SpecReplicas;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Which agent, how many workers, and how the queue behaves. */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
@JsonIgnoreProperties(ignoreUnknown = true)
@ValidationRule(
        value = "self.backend == oldSelf.backend",
        message = "backend cannot be changed: queued tasks were written for it; create a new pool")
@ValidationRule(
        value = "!self.isolation.workerPerTask || self.tasksPerWorker == 1",
        message = "workerPerTask needs tasksPerWorker 1: a worker that is for one task runs no two at once")
public record WorkerPoolSpec(
        @Required
                @Size(min = 1, max = 63)
                @Pattern("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
                @JsonPropertyDescription(
                        "The agent that the workers run: command, aider, mini-swe-agent, opencode or openhands. Cannot be changed.")
                String backend,
        @Nullable @JsonPropertyDescription("Credentials for the repositories of tasks.") GitAccess git,
        @SpecReplicas
                @Default("1")
                @Min(0)
                @Max(1000)
                @JsonPropertyDescription(
                        "Number of workers of a pool without scaling, 0 to 1,000. With scaling it is ignored, and condition ReplicasIgnored says so where it is not 1.")
                Integer replicas,
        @Nullable @JsonPropertyDescription("Lets the number of workers follow the queue.") Scaling scaling,
        @Default("1") @Min(1) @Max(100) @JsonPropertyDescription("Tasks that one worker runs at once, 1 to 100.")
                Integer tasksPerWorker,
        @Default("{}") @JsonPropertyDescription("The queue: its stream and consumer in JetStream.") QueueSpec queue,
        @Default("\"Drain\"")
                @JsonPropertyDescription(
                        "What deleting the pool does. Drain: take no new task, wait for queued and running ones up to drainTimeoutSeconds, fail the rest. Delete: fail what is unfinished at once. Retain: remove the workers, keep the stream and its tasks for a pool of the same name.")
                DeletionPolicy deletionPolicy,
        @Default("600")
                @Min(0)
                @Max(600)
                @JsonPropertyDescription(
                        "Seconds that Drain waits, 0 to 600: a deletion must not hold its namespace for longer.")
                Integer drainTimeoutSeconds,
        @Default("\"Finish\"")
                @JsonPropertyDescription(
                        "What a worker does with its runs on SIGTERM, whatever caused it. Finish: it finishes them, and releases those that outlast the pod's grace period. GiveBack: it releases them at once, and the next worker continues from their checkpoints; for nodes that disappear sooner than the grace period, such as spot instances.")
                OnEviction onEviction,
        @Default("{}") @JsonPropertyDescription("What a task leaves out.") TaskDefaults taskDefaults,
        @Nullable
                @Min(0)
                @Max(100000)
                @JsonPropertyDescription(
                        "Most tasks that succeeded and are kept, 0 to 100,000: of more the oldest are deleted. Counts and deletes those with idempotencyKey or generateName, which no GitOps tool pays for again by creating them anew. Default: no limit.")
                Integer successfulTasksHistoryLimit,
        @Nullable
                @Min(0)
                @Max(100000)
                @JsonPropertyDescription(
                        "Most tasks that failed or were cancelled and are kept, 0 to 100,000, as successfulTasksHistoryLimit. Default: no limit.")
                Integer failedTasksHistoryLimit,
        @Size(max = 64)
                @JsonPropertyDescription(
                        "Settings of the backend for the tasks that are begun from now on, told to running workers within a second; what a task or taskDefaults.config names wins key by key. Every worker of the NATS account can read them: no secrets.")
                Map<String, String> workerConfig,
        @Default("{}") @JsonPropertyDescription("What keeps agents to their own runs.") Isolation isolation,
        @Nullable
                @PreserveUnknownFields
                @JsonPropertyDescription(
                        "A PodTemplateSpec for the workers. Container worker is completed by the operator (image, environment, probes), its variables from Secrets become files that only the worker reads, and security contexts, resources and placement field by field by the chart's workerDefaults; everything else is yours.")
                JsonNode template,
        @Default("{}") @JsonPropertyDescription("Who may create tasks of this pool past Kubernetes' own rights.")
                TaskRequests taskRequests,
        @Default("false") @JsonPropertyDescription("Hands out no further tasks while true; running ones finish.")
                Boolean suspend) {

    public WorkerPoolSpec {
        replicas = replicas == null ? 1 : replicas;
        tasksPerWorker = tasksPerWorker == null ? 1 : tasksPerWorker;
        queue = queue == null ? QueueSpec.defaults() : queue;
        deletionPolicy = deletionPolicy == null ? DeletionPolicy.Drain : deletionPolicy;
        drainTimeoutSeconds = drainTimeoutSeconds == null ? 600 : drainTimeoutSeconds;
        onEviction = onEviction == null ? OnEviction.Finish : onEviction;
        taskDefaults = taskDefaults == null ? new TaskDefaults(null, null, null, null, null, null, null) : taskDefaults;
        workerConfig = workerConfig == null ? Map.of() : Map.copyOf(workerConfig);
        isolation = isolation == null ? new Isolation(null, null, null) : isolation;
        taskRequests = taskRequests == null ? new TaskRequests(null) : taskRequests;
        suspend = suspend != null && suspend;
    }

    /** The most workers that this pool may have. */
    public int maxWorkers() {
        return scaling == null ? replicas : scaling.maxReplicas();
    }

    @JsonIgnoreProperties(ignoreUnknown = true)
    public record TaskRequests(
            @Default("\"None\"")
                    @JsonPropertyDescription(
                            "None: tasks are created in Kubernetes alone. NATS: whoever may publish agents.run.<namespace>.<pool> in NATS may create tasks here too, by request-reply, without any right in Kubernetes.")
                    RequestOrigin allowedFrom) {
        public TaskRequests {
            allowedFrom = allowedFrom == null ? RequestOrigin.None : allowedFrom;
        }
    }

    public enum RequestOrigin {
        None,
        NATS
    }

    public enum OnEviction {
        Finish,
        GiveBack
    }

    public enum DeletionPolicy {
        Drain,
        Retain,
        Delete
    }

    @JsonInclude(JsonInclude.Include.NON_EMPTY)
    @JsonIgnoreProperties(ignoreUnknown = true)
    @ValidationRule(
            value =
                    "!has(self.allow) || self.allow.all(e, e.matches('^[.]?[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?([.][A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*(:[1-9][0-9]{0,4})?$') && !e.matches('^[0-9.]+(:[0-9]+)?$'))",
            message =
                    "allow names hosts, such as packages.example.org, .example.org for all below it, or git.team.svc:8443; addresses are not allowed")
    public record Egress(
            @Default("\"Restricted\"")
                    @JsonPropertyDescription(
                            "Restricted: agents reach the hosts in allow, by the proxy of their run (HTTPS_PROXY). Open: every server that the cluster's network lets the worker reach. A NetworkPolicy of the pool bounds both, where the cluster's network enforces such policies.")
                    EgressPolicy policy,
            @Nullable
                    @Size(max = 100)
                    @JsonPropertyDescription(
                            "Hosts that agents may reach under Restricted, at most 100: a name, or .name for all names below it, on port 443, or with a port of its own. Names that lead to private addresses need a port here. Default: the operator's workerDefaults.egressAllow, which is empty unless somebody has set it.")
                    List<@Size(max = 253) String> allow) {
        public Egress {
            policy = policy == null ? EgressPolicy.Restricted : policy;
        }
    }

    public enum EgressPolicy {
        Restricted,
        Open
    }

    @JsonIgnoreProperties(ignoreUnknown = true)
    public record GitAccess(
            @Required
                    @Size(max = 32)
                    @JsonPropertyDescription("The longest URL prefix that matches a task's repository wins.")
                    List<Credential> credentials) {
        public GitAccess {
            credentials = credentials == null ? List.of() : List.copyOf(credentials);
        }
    }

    @JsonIgnoreProperties(ignoreUnknown = true)
    public record Credential(
            @Required
                    @Size(min = 1, max = 2048)
                    @JsonPropertyDescription("URL prefix, such as https://git.example.com/team/.")
                    String url,
            @Required
                    @JsonPropertyDescription(
                            "Secret of this namespace: username and password, or identity and known_hosts for ssh.")
                    SecretRef secretRef) {}

    @JsonIgnoreProperties(ignoreUnknown = true)
    public record SecretRef(
            @Required @Size(min = 1, max = 253) @JsonPropertyDescription("The Secret's name.") String name) {}

    @JsonInclude(JsonInclude.Include.NON_EMPTY)
    @JsonIgnoreProperties(ignoreUnknown = true)
    @ValidationRule(
            value = "self.minReplicas <= self.maxReplicas",
            message = "minReplicas must not be greater than maxReplicas")
    public record Scaling(
            @Default("0")
                    @Min(0)
                    @Max(1000)
                    @JsonPropertyDescription("Fewest workers, 0 to 1,000; 0 lets an idle pool vanish.")
                    Integer minReplicas,
            @Required @Min(1) @Max(1000) @JsonPropertyDescription("Most workers, 1 to 1,000.") Integer maxReplicas,
            @Default("30")
                    @Min(0)
                    @Max(3600)
                    @JsonPropertyDescription(
                            "Seconds that fewer workers must have been enough before any is removed, 0 to 3,600.")
                    Integer scaleDownStabilizationWindowSeconds,
            @Nullable
                    @Min(1)
                    @Max(86400)
                    @JsonPropertyDescription(
                            "Seconds that a task may wait for a worker, 1 to 86,400: with it the pool is only as large as its latest tasks' run time says. Default: a worker for each task at once.")
                    Integer queueAgeTargetSeconds,
            @Nullable
                    @Min(1)
                    @Max(1000)
                    @JsonPropertyDescription(
                            "Most workers that start at once, 1 to 1,000; the next are added as these become ready; a worker that is not ready counts as starting. Default: no limit.")
                    Integer maxScaleUpStep) {
        public Scaling {
            minReplicas = minReplicas == null ? 0 : minReplicas;
            maxReplicas = maxReplicas == null ? 1 : maxReplicas;
            scaleDownStabilizationWindowSeconds =
                    scaleDownStabilizationWindowSeconds == null ? 30 : scaleDownStabilizationWindowSeconds;
        }
    }

    @JsonInclude(JsonInclude.Include.NON_EMPTY)
    @JsonIgnoreProperties(ignoreUnknown = true)
    public record Isolation(
            @Default("\"Preferred\"")
                    @JsonPropertyDescription(
                            "Walls of the kernel around each agent: its own files, processes and proxy are left to it. Preferred: as far as the node's kernel has them; condition Isolated says what is missing. Required: a worker that lacks one does not start. Off: an agent can do all that its worker can.")
                    AgentIsolation agent,
            @Default("{}") @JsonPropertyDescription("The servers that agents may connect to beside their model.")
                    Egress egress,
            @Default("false")
                    @JsonPropertyDescription(
                            "Gives each task a worker of its own while true: a pod that has begun a run takes no other task, and is replaced by a new one. A task then waits for the start of a pod, unless one is idle: minReplicas keeps so many. Needs tasksPerWorker 1.")
                    Boolean workerPerTask) {
        public Isolation {
            agent = agent == null ? AgentIsolation.Preferred : agent;
            egress = egress == null ? new Egress(null, null) : egress;
            workerPerTask = workerPerTask != null && workerPerTask;
        }
    }

    public enum AgentIsolation {
        Required,
        Preferred,
        Off
    }

    @JsonInclude(JsonInclude.Include.NON_EMPTY)
    @JsonIgnoreProperties(ignoreUnknown = true)
    public record TaskDefaults(
            @Nullable @Size(max = 256) @JsonPropertyDescription("The language model's name. Default: the worker's own.")
                    String model,
            @Default("1800") @Min(1) @Max(604800) @JsonPropertyDescription("Seconds that a run may take, 1 to 604,800.")
                    Integer runTimeoutSeconds,
            @Nullable
                    @Min(1)
                    @Max(2592000)
                    @JsonPropertyDescription(
                            "Seconds that a task may wait for a worker, 1 to 2,592,000. Default: no limit.")
                    Integer queueTimeoutSeconds,
            @Nullable @JsonPropertyDescription("When a failed attempt is tried again. Default: never.") Retry retry,
            @Nullable @JsonPropertyDescription("What a task may use of its model. Default: no limit.") Budget budget,
            @Size(max = 64) @JsonPropertyDescription("Settings of the backend; a task's own win key by key.")
                    Map<String, String> config,
            @Nullable
                    @Min(0)
                    @Max(31536000)
                    @JsonPropertyDescription(
                            "Seconds after its end at which a task is deleted, 0 to 31,536,000. Applies to tasks with idempotencyKey or generateName, which no GitOps tool pays for again by creating them anew. Default: never.")
                    Integer ttlSecondsAfterFinished) {
        public TaskDefaults {
            runTimeoutSeconds = runTimeoutSeconds == null ? 1800 : runTimeoutSeconds;
            config = config == null ? Map.of() : Map.copyOf(config);
        }
    }
}
