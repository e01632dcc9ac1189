package dev.codeforge.identity;

import java.time.Instant;

/**
 * A worker's credential.
 *
 * @param file as NATS's clients read it
 * @param renewed from then on a new one takes its place, so that the old one is never found expired
 */
public record Credential(String file, Instant renewed) {}
