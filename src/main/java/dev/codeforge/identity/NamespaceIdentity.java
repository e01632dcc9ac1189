package dev.codeforge.identity;

/** A namespace, which has an account. */
public record NamespaceIdentity(String name, String uid) {}
