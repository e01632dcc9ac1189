package dev.codeforge.jetstream;

import dev.codeforge.identity.Key;
import io.nats.client.AuthHandler;
import java.util.function.Supplier;

/** Tells the client who we are. It asks for the JWT once a connect, and signs what the server then sends. */
final class MintedLogin implements AuthHandler {
    private final Key key;
    private final Supplier<String> jwts;

    MintedLogin(Key key, Supplier<String> jwts) {
        this.key = key;
        this.jwts = jwts;
    }

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
        return jwts.get().toCharArray();
    }
}
