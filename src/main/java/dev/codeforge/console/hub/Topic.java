package dev.codeforge.console.hub;

/** The kinds of subscriptions. */
public enum Topic {
    POOLS,
    TASKS,
    EVENTS,
    LOG
}
