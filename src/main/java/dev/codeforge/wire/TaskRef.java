package dev.codeforge.wire;

/**
 * A task as the subjects of its runs name it: its pool and its id. Two pools may have tasks with one id, which are two
 * tasks.
 */
public record TaskRef(String namespace, String pool, String id) {}
