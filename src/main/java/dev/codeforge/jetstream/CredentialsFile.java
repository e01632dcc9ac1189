package dev.codeforge.jetstream;

import io.nats.client.Nats;
import io.nats.client.Options;
import java.nio.file.Path;

/** A user of a server in operator mode whose credentials somebody else has made, and renews. They are read at each connect. */
public record CredentialsFile(String url, Path file) implements NatsAccess {
    @Override
    public void signIn(Options.Builder options) {
        options.authHandler(Nats.credentials(file.toString()));
    }
}
