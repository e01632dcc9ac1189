package dev.codeforge.api;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;

/** A WorkerPool in the task's own namespace. */
@JsonIgnoreProperties(ignoreUnknown = true)
public record WorkerPoolRef(
        @Required @Size(min = 1, max = 63) @JsonPropertyDescription("The WorkerPool's name.") String name) {}
