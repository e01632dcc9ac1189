package dev.codeforge.api;

/** Where a task is. A terminal phase never changes again. */
public enum Phase {
    Pending,
    Queued,
    Running,
    Succeeded,
    Failed,
    Cancelled;

    public boolean isTerminal() {
        return this == Succeeded || this == Failed || this == Cancelled;
    }
}
