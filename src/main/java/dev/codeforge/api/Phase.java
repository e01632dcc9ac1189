package dev.codeforge.api;

/** Where a task is. A terminal phase changes by a rerun only. */
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
