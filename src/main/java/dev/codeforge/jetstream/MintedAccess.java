package dev.codeforge.jetstream;

import dev.codeforge.identity.Key;
import dev.codeforge.identity.Login;
import io.nats.client.Options;
import java.util.function.Supplier;

/**
 * A user of a server in operator mode.
 *
 * @param jwt made anew for each connect
 */
public record MintedAccess(String url, Key key, Supplier<String> jwt) implements NatsAccess {
    public static MintedAccess of(String url, Supplier<Login> login) {
        return new MintedAccess(url, login.get().key(), () -> login.get().jwt());
    }

    @Override
    public void signIn(Options.Builder options) {
        options.authHandler(new MintedLogin(key, jwt));
    }
}
