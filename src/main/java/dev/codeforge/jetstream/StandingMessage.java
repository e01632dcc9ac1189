package dev.codeforge.jetstream;

/** A task's message that stands in the pool's stream, waiting or in a worker's hands. */
public record StandingMessage(long sequence, String installation, String name, int attempt, byte[] body) {}
