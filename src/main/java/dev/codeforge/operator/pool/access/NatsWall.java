package dev.codeforge.operator.pool.access;

import dev.codeforge.operator.status.Reason;

/**
 * What separates the workers of two pools in NATS.
 *
 * @param reason of condition Isolated where agents are confined
 * @param sentence which accesses NATS prevents, and which it does not
 */
public record NatsWall(Reason reason, String sentence) {}
