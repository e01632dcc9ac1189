package dev.codeforge.api;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import org.jspecify.annotations.Nullable;

/** The pool's stream and consumer in JetStream: the settings that a pool's author may choose. */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
@JsonIgnoreProperties(ignoreUnknown = true)
@ValidationRule(
        value = "has(self.subject) == has(oldSelf.subject) && (!has(self.subject) || self.subject == oldSelf.subject)",
        message = "subject cannot be added, changed or removed: create a new pool")
@ValidationRule(
        value = "!has(self.subject) || self.subject.startsWith('tasks.')",
        message = "subject must be tasks.<namespace>.<name>: every other subject belongs to the platform")
@ValidationRule(value = "self.storage == oldSelf.storage", message = "storage cannot be changed: create a new pool")
@ValidationRule(
        value = "!has(self.replicas) || self.replicas in [1, 3, 5]",
        message = "replicas of a queue are 1, 3 or 5")
public record QueueSpec(
        @Nullable
                @Size(max = 255)
                @Pattern("^[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*$")
                @JsonPropertyDescription(
                        "NATS subject of the pool, tasks.<namespace>.<name> with the pool's own namespace. Default: the operator's subjectTemplate, tasks.agent.<backend>. Cannot be changed.")
                String subject,
        @Default("\"File\"")
                @JsonPropertyDescription(
                        "Where JetStream stores the stream. File survives a restart of NATS, Memory does not. Cannot be changed.")
                Storage storage,
        @Nullable
                @Min(1)
                @Max(5)
                @JsonPropertyDescription(
                        "Replicas of the stream, 1, 3 or 5. Default: 3 on a cluster of three or more servers, otherwise 1.")
                Integer replicas,
        @Nullable
                @Min(1)
                @Max(10000000)
                @JsonPropertyDescription(
                        "Maximum number of waiting tasks, 1 to 10,000,000; further tasks remain Pending with QueueFull. Default: no limit.")
                Integer maxMessages,
        @Nullable
                @Min(1048576)
                @Max(1099511627776L)
                @JsonPropertyDescription(
                        "Maximum size of the waiting tasks in bytes, 1 MiB to 1 TiB; further tasks remain Pending with QueueFull. Default: no limit.")
                Long maxBytes,
        @Default("60")
                @Min(5)
                @Max(3600)
                @JsonPropertyDescription(
                        "Seconds without a heartbeat after which JetStream redelivers a running task to another worker, 5 to 3,600.")
                Integer heartbeatTimeoutSeconds,
        @Default("3")
                @Min(1)
                @Max(50)
                @JsonPropertyDescription(
                        "Maximum number of deliveries of an attempt whose workers are lost, 1 to 50; then the attempt fails. Workers whose pods were evicted, deleted or preempted, or whose nodes no longer exist, do not count.")
                Integer maxDeliveries) {

    public QueueSpec {
        storage = storage == null ? Storage.File : storage;
        heartbeatTimeoutSeconds = heartbeatTimeoutSeconds == null ? 60 : heartbeatTimeoutSeconds;
        maxDeliveries = maxDeliveries == null ? 3 : maxDeliveries;
    }

    /** The settings of a pool that does not configure its queue. */
    public static QueueSpec defaults() {
        return new QueueSpec(null, null, null, null, null, null, null);
    }

    public enum Storage {
        File,
        Memory
    }
}
