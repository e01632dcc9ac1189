package dev.codeforge.console.hub;

/** What a subscription is about. */
public enum Topic {
    POOLS,
    TASKS,
    EVENTS,
    LOG
}
