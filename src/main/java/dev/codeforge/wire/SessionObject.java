package dev.codeforge.wire;

/**
 * A session's history in its pool's object store bucket.
 *
 * @param object name in the bucket; never written twice
 * @param digest {@code sha-256:} and the lowercase hexadecimal SHA-256 of its bytes
 * @param size bytes
 */
public record SessionObject(String object, String digest, long size) {}
