package dev.codeforge.jetstream;

/** A user with a password; both are empty for a server without users. */
public record NatsEndpoint(String url, String username, String password) implements NatsAccess {}
