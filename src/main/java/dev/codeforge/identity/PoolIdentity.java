package dev.codeforge.identity;

/** A pool, as an account of its namespace knows it. */
public record PoolIdentity(String name, String uid) {}
