package dev.codeforge.jetstream;

import dev.codeforge.identity.Login;
import io.nats.client.AuthHandler;
import java.util.function.Supplier;

/** Tells the client who we are. It asks for the JWT at each connect, and signs what the server then sends. */
final class MintedLogin implements AuthHandler {
    private final Supplier<Login> logins;

    MintedLogin(Supplier<Login> logins) {
        this.logins = logins;
    }

    @Override
    public byte[] sign(byte[] nonce) {
        return logins.get().key().sign(nonce);
    }

    @Override
    public char[] getID() {
        return logins.get().key().id().toCharArray();
    }

    @Override
    public char[] getJWT() {
        return logins.get().jwt().toCharArray();
    }
}
