package dev.codeforge.wire;

/**
 * A task as every subject of its runs names it: the pool that has it, and its id. Two pools may have tasks of one id, which
 * are two tasks.
 */
public record TaskRef(String namespace, String pool, String id) {}
