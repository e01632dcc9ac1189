package dev.codeforge.wire;

/** A worker as its subject names it: its pool, and its pod. */
public record WorkerRef(String namespace, String pool, String pod) {}
