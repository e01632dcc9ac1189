package dev.codeforge.api;

/** A task's phase. Only a rerun changes a terminal phase. */
public enum Phase {
    Pending,
    Queued,
    Running,
    Retrying,
    Suspended,
    Succeeded,
    Failed,
    Cancelled;

    public boolean isTerminal() {
        return this == Succeeded || this == Failed || this == Cancelled;
    }
}
