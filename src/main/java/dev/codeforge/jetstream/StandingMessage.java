package dev.codeforge.jetstream;

/**
 * A task's message that stands in the pool's stream, waiting or in a worker's hands.
 *
 * @param installation whose operator published it; empty for an outside producer's
 * @param namespace of the AgentTask that it was published for
 * @param name of that AgentTask
 */
public record StandingMessage(long sequence, String installation, String namespace, String name, int attempt) {}
