package dev.codeforge.jetstream;

import dev.codeforge.identity.Key;
import dev.codeforge.identity.Login;
import io.nats.client.AuthHandler;
import io.nats.client.Nats;
import io.nats.client.Options;
import java.nio.file.Path;
import java.util.function.Supplier;

/** Where a NATS server is and who we are there. */
public sealed interface NatsAccess {
    String url();

    /** Has the client say who we are. */
    void signIn(Options.Builder options);

    /** A user with a password; both are empty for a server without users. */
    record Password(String url, String username, String password) implements NatsAccess {
        @Override
        public void signIn(Options.Builder options) {
            if (!username.isEmpty()) {
                options.userInfo(username, password);
            }
        }
    }

    /** A user of a server in operator mode whose credentials somebody else has made, and renews. They are read at each connect. */
    record CredentialsFile(String url, Path file) implements NatsAccess {
        @Override
        public void signIn(Options.Builder options) {
            options.authHandler(Nats.credentials(file.toString()));
        }
    }

    /**
     * A user of a server in operator mode.
     *
     * @param jwt made anew for each connect
     */
    record Minted(String url, Key key, Supplier<String> jwt) implements NatsAccess {
        public static Minted of(String url, Supplier<Login> login) {
            return new Minted(url, login.get().key(), () -> login.get().jwt());
        }

        /** The client asks for the JWT once a connect, and has signed what the server then sends. */
        @Override
        public void signIn(Options.Builder options) {
            options.authHandler(new AuthHandler() {
                @Override
                public byte[] sign(byte[] nonce) {
                    return key.sign(nonce);
                }

                @Override
                public char[] getID() {
                    return key.id().toCharArray();
                }

                @Override
                public char[] getJWT() {
                    return jwt.get().toCharArray();
                }
            });
        }
    }
}
