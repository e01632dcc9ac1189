package dev.codeforge.identity;

import io.nats.client.support.JwtUtils;

/** A user's key and the JWT that says what it may do. */
public record Login(Key key, String jwt) {
    /** As NATS's clients read it from a file. */
    public String file() {
        return String.format(JwtUtils.NATS_USER_JWT_FORMAT, jwt, key.seed());
    }
}
