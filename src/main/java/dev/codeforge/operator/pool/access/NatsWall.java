package dev.codeforge.operator.pool.access;

import dev.codeforge.operator.status.Reason;

/**
 * What stands between the workers of two pools in NATS.
 *
 * @param reason of condition Isolated where agents are confined
 * @param sentence what it holds against, and what it does not
 */
public record NatsWall(Reason reason, String sentence) {}
