package dev.codeforge.api;

import com.fasterxml.jackson.annotation.JsonCreator;
import java.util.Arrays;

/** A task's phase. Only a rerun changes a terminal phase. */
public enum Phase {
    Pending,
    Queued,
    Running,
    Retrying,
    Suspended,
    Succeeded,
    Failed,
    Cancelled,
    /** Written by a newer operator: after a rollback such a task must neither run again nor keep all others from being read. */
    Unknown;

    @JsonCreator
    static Phase of(String name) {
        return Arrays.stream(values())
                .filter(phase -> phase.name().equals(name))
                .findFirst()
                .orElse(Unknown);
    }

    public boolean isTerminal() {
        return this == Succeeded || this == Failed || this == Cancelled;
    }
}
