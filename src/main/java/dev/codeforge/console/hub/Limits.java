package dev.codeforge.console.hub;

/**
 * What one caller may use.
 *
 * @param connections of a user
 * @param subscriptions of a connection
 * @param queueBytes what may wait to be sent on a connection
 */
public record Limits(int connections, int subscriptions, long queueBytes) {}
