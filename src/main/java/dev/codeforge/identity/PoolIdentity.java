package dev.codeforge.identity;

/** A pool in the account of its namespace. */
public record PoolIdentity(String name, String uid) {}
