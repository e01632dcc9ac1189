package dev.codeforge.jetstream;

import java.util.OptionalInt;

/**
 * A pool's bucket, as wanted.
 *
 * @param maxBytes what fits in; NATS reserves it, and a full bucket refuses
 * @param replicas copies; empty for 3 on a cluster of three or more servers, else 1
 * @param installation UID of the cluster, kept in the metadata
 */
public record FilesSettings(String namespace, String pool, long maxBytes, OptionalInt replicas, String installation) {}
