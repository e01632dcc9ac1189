package dev.codeforge.jetstream;

import dev.codeforge.identity.Key;
import dev.codeforge.identity.Login;
import io.nats.client.AuthHandler;
import io.nats.client.Nats;
import io.nats.client.Options;
import java.nio.file.Path;
import java.util.function.Supplier;

/** The address of a NATS server and the identity to use there. */
public sealed interface NatsAccess {
    String url();

    /** Sets the client's identity. */
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

    /**
     * A user of a server in operator mode whose credentials file the server's owner writes and renews. The file is read
     * at each connect.
     */
    record CredentialsFile(String url, Path file) implements NatsAccess {
        @Override
        public void signIn(Options.Builder options) {
            options.authHandler(Nats.credentials(file.toString()));
        }
    }

    /**
     * A user of a server in operator mode.
     *
     * @param jwt created for each connect
     */
    record Minted(String url, Key key, Supplier<String> jwt) implements NatsAccess {
        public static Minted of(String url, Supplier<Login> login) {
            return new Minted(url, login.get().key(), () -> login.get().jwt());
        }

        /** The client asks for the JWT once per connect, and signs the server's nonce. */
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
