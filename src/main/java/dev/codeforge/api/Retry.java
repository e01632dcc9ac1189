package dev.codeforge.api;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Size;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** When a failed attempt is tried again. A task's own fields win one by one over its pool's. */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
@JsonIgnoreProperties(ignoreUnknown = true)
public record Retry(
        @Nullable
                @Min(1)
                @Max(20)
                @JsonPropertyDescription(
                        "Number of failed attempts after which the task fails, 1 to 20, since its creation or last rerun. Default 1: retries are off, because a failed run has already cost money.")
                Integer maxAttempts,
        @Nullable
                @Min(0)
                @Max(86400)
                @JsonPropertyDescription(
                        "Seconds between a failure and the second attempt, 0 to 86,400; doubled for each further attempt. Default 30.")
                Integer backoffSeconds,
        @Nullable
                @Min(0)
                @Max(86400)
                @JsonPropertyDescription(
                        "Maximum number of seconds between two attempts, 0 to 86,400. It does not limit a delay of up to 3,600 seconds that a failure requests. Default 600.")
                Integer maxBackoffSeconds,
        @Nullable
                @Size(max = 32)
                @JsonPropertyDescription(
                        "Error types that end the task at once, such as CommandFailed. Errors that the worker reports as not retryable end it in any case, unless retryable names them.")
                List<String> nonRetryable,
        @Nullable
                @Size(max = 32)
                @JsonPropertyDescription(
                        "Error types that are retried although the worker reports them as not retryable, such as OutOfMemory. nonRetryable takes precedence.")
                List<String> retryable) {

    /** The defaults when neither task nor pool sets a value. */
    public static final Retry NONE = new Retry(null, null, null, null, null);

    /** This retry with defaults for missing fields. */
    public Retry complete() {
        return new Retry(
                maxAttempts == null ? 1 : maxAttempts,
                backoffSeconds == null ? 30 : backoffSeconds,
                maxBackoffSeconds == null ? 600 : maxBackoffSeconds,
                nonRetryable == null ? List.of() : List.copyOf(nonRetryable),
                retryable == null ? List.of() : List.copyOf(retryable));
    }
}
