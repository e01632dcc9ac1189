package dev.codeforge.jetstream;

import io.nats.client.Options;

/** A user with a password; both are empty for a server without users. */
public record NatsEndpoint(String url, String username, String password) implements NatsAccess {
    @Override
    public void signIn(Options.Builder options) {
        if (!username.isEmpty()) {
            options.userInfo(username, password);
        }
    }
}
