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
                        "Number of workers of a pool without scaling, 0 to 1,000. With scaling the operator ignores it; the condition ReplicasIgnored reports a value other than 1.")
                Integer replicas,
        @Nullable @JsonPropertyDescription("If set, the number of workers follows the queue.") Scaling scaling,
        @Default("1")
                @Min(1)
                @Max(100)
                @JsonPropertyDescription("Number of tasks that one worker runs at the same time, 1 to 100.")
                Integer tasksPerWorker,
        @Default("{}") @JsonPropertyDescription("The queue: its stream and consumer in JetStream.") QueueSpec queue,
        @Default("\"Drain\"")
                @JsonPropertyDescription(
                        "What the deletion of the pool does. Drain: the pool accepts no new task, the operator waits up to drainTimeoutSeconds for queued and running tasks, and the remaining tasks fail. Delete: all unfinished tasks fail at once. Retain: the operator removes the workers and keeps the stream and its tasks for a pool of the same name.")
                DeletionPolicy deletionPolicy,
        @Default("600")
                @Min(0)
                @Max(600)
                @JsonPropertyDescription(
                        "Seconds that Drain waits, 0 to 600: a deletion must not block its namespace for longer.")
                Integer drainTimeoutSeconds,
        @Default("\"Finish\"")
                @JsonPropertyDescription(
                        "What a worker does with its runs on SIGTERM, whatever its cause. Finish: the worker finishes its runs, and releases those that take longer than the pod's grace period. GiveBack: the worker releases its runs at once, and the next worker continues from their checkpoints; for nodes that disappear before the grace period is over, such as spot instances.")
                OnEviction onEviction,
        @Default("{}") @JsonPropertyDescription("Defaults for fields that a task omits.") TaskDefaults taskDefaults,
        @Nullable
                @Min(0)
                @Max(100000)
                @JsonPropertyDescription(
                        "Maximum number of succeeded tasks that are kept, 0 to 100,000: the operator deletes the oldest ones beyond it. It counts and deletes only tasks with idempotencyKey or generateName: no GitOps tool pays again by recreating them. Default: no limit.")
                Integer successfulTasksHistoryLimit,
        @Nullable
                @Min(0)
                @Max(100000)
                @JsonPropertyDescription(
                        "Maximum number of failed and cancelled tasks that are kept, 0 to 100,000, with the rules of successfulTasksHistoryLimit. Default: no limit.")
                Integer failedTasksHistoryLimit,
        @Size(max = 64)
                @JsonPropertyDescription(
                        "Settings of the backend for tasks that start from now on. Running workers receive a change within a second. Each key of a task's config or of taskDefaults.config takes precedence. Every worker of the NATS account can read these settings: use no secrets.")
                Map<String, String> workerConfig,
        @Default("{}") @JsonPropertyDescription("How agents are confined to their own runs.") Isolation isolation,
        @Nullable
                @PreserveUnknownFields
                @JsonPropertyDescription(
                        "A PodTemplateSpec for the workers. The operator completes container worker (image, environment, probes). The container's variables from Secrets become files that only the worker can read. The chart's workerDefaults complete security contexts, resources and placement field by field. The operator does not change anything else.")
                JsonNode template,
        @Default("{}") @JsonPropertyDescription("Who may create tasks of this pool without a right in Kubernetes.")
                TaskRequests taskRequests,
        @Default("false")
                @JsonPropertyDescription("While true, the pool starts no further tasks; running tasks finish.")
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
                            "None: tasks can be created only in Kubernetes. NATS: NATS users that may publish agents.run.<namespace>.<pool> can also create tasks of this pool, by request-reply, without any right in Kubernetes.")
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
                            "Restricted: agents reach only the hosts in allow, by the proxy of their run (HTTPS_PROXY). Open: agents reach every server that the worker can reach in the cluster's network. A NetworkPolicy of the pool limits both, if the cluster's network enforces such policies.")
                    EgressPolicy policy,
            @Nullable
                    @Size(max = 100)
                    @JsonPropertyDescription(
                            "Hosts that agents may reach with Restricted, at most 100: a name, or .name for all names below it, on port 443 or on the port of the entry. A name with a private address requires a port. Default: the operator's workerDefaults.egressAllow, which is empty by default.")
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
                    @JsonPropertyDescription(
                            "Credentials by URL prefix. The longest prefix that matches a task's repository takes precedence.")
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
                    @JsonPropertyDescription(
                            "Minimum number of workers, 0 to 1,000; with 0 an idle pool has no workers.")
                    Integer minReplicas,
            @Required @Min(1) @Max(1000) @JsonPropertyDescription("Maximum number of workers, 1 to 1,000.")
                    Integer maxReplicas,
            @Default("30")
                    @Min(0)
                    @Max(3600)
                    @JsonPropertyDescription(
                            "Seconds during which fewer workers must be sufficient before the operator removes one, 0 to 3,600.")
                    Integer scaleDownStabilizationWindowSeconds,
            @Nullable
                    @Min(1)
                    @Max(86400)
                    @JsonPropertyDescription(
                            "Seconds that a task may wait for a worker, 1 to 86,400. The operator then derives the number of workers from the run times of the latest tasks. Default: a worker for each task at once.")
                    Integer queueAgeTargetSeconds,
            @Nullable
                    @Min(1)
                    @Max(1000)
                    @JsonPropertyDescription(
                            "Maximum number of workers that start at the same time, 1 to 1,000. The operator adds the next ones when these become ready. A worker that is not ready counts as starting. Default: no limit.")
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
                            "Walls of the kernel around each agent: it can reach only its own files, its own processes and its run's proxies. Preferred: all walls that the node's kernel supports; the condition Isolated names the missing ones. Required: a worker that lacks a wall does not start. Off: an agent can do everything that its worker can.")
                    AgentIsolation agent,
            @Default("{}") @JsonPropertyDescription("The servers that agents may connect to besides their model.")
                    Egress egress,
            @Default("false")
                    @JsonPropertyDescription(
                            "If true, each task has a worker of its own: a pod that has started a run takes no other task, and the operator replaces it. A task then waits for the start of a pod, unless a worker is idle; minReplicas sets how many workers are kept. Requires tasksPerWorker 1.")
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
            @Nullable @JsonPropertyDescription("Whether and when a failed attempt is retried. Default: never.")
                    Retry retry,
            @Nullable @JsonPropertyDescription("Limits of the model's usage by a task. Default: no limit.")
                    Budget budget,
            @Size(max = 64)
                    @JsonPropertyDescription(
                            "Settings of the backend; each key of a task's own config takes precedence.")
                    Map<String, String> config,
            @Nullable
                    @Min(0)
                    @Max(31536000)
                    @JsonPropertyDescription(
                            "Seconds after its end when the operator deletes a task, 0 to 31,536,000. Applies only to tasks with idempotencyKey or generateName: no GitOps tool pays again by recreating them. Default: never.")
                    Integer ttlSecondsAfterFinished) {
        public TaskDefaults {
            runTimeoutSeconds = runTimeoutSeconds == null ? 1800 : runTimeoutSeconds;
            config = config == null ? Map.of() : Map.copyOf(config);
        }
    }
}
