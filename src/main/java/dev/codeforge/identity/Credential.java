package dev.codeforge.identity;

import java.time.Instant;

/**
 * A worker's credential.
 *
 * @param file as NATS's clients read it
 * @param renewed when it is replaced, before it expires
 */
public record Credential(String file, Instant renewed) {}
