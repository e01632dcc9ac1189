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
                        "Attempts that may fail before the task does, 1 to 20, since its creation or last rerun. Default 1: retries are off, for a failed run has already cost money.")
                Integer maxAttempts,
        @Nullable
                @Min(0)
                @Max(86400)
                @JsonPropertyDescription(
                        "Seconds between a failure and the second attempt, 0 to 86,400; doubled for each further one. Default 30.")
                Integer backoffSeconds,
        @Nullable
                @Min(0)
                @Max(86400)
                @JsonPropertyDescription(
                        "Most seconds between two attempts, 0 to 86,400; a failure that asks for a delay, of up to 3,600 seconds, gets it all the same. Default 600.")
                Integer maxBackoffSeconds,
        @Nullable
                @Size(max = 32)
                @JsonPropertyDescription(
                        "Error types that end the task at once, such as CommandFailed. Those that the worker calls not retryable do so anyway.")
                List<String> nonRetryable,
        @Nullable
                @Size(max = 32)
                @JsonPropertyDescription(
                        "Error types that another attempt follows although the worker calls them not retryable, such as OutOfMemory. nonRetryable wins.")
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
