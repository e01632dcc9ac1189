package dev.codeforge.jetstream;

/** Where a NATS server is and who we are there; user and password are empty for a server without users. */
public record NatsEndpoint(String url, String username, String password) {}
