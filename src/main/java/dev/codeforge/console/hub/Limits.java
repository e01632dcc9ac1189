package dev.codeforge.console.hub;

/**
 * Limits of one caller.
 *
 * @param connections of a user
 * @param subscriptions of a connection
 * @param queueBytes of a connection's send queue
 */
public record Limits(int connections, int subscriptions, long queueBytes) {}
