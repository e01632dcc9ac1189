package dev.codeforge.jetstream;

import dev.codeforge.identity.Login;
import io.nats.client.Options;
import java.util.function.Supplier;

/**
 * A user of a server in operator mode.
 *
 * @param login made anew for each connect
 */
public record MintedAccess(String url, Supplier<Login> login) implements NatsAccess {
    @Override
    public void signIn(Options.Builder options) {
        options.authHandler(new MintedLogin(login));
    }
}
