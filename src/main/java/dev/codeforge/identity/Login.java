package dev.codeforge.identity;

import com.fasterxml.jackson.databind.JsonNode;
import io.nats.client.support.JwtUtils;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/** A user's key and the JWT that says what it may do. */
public record Login(Key key, String jwt) {
    static Login of(Key account, Key user, Claims claims, Instant now, Optional<Duration> lifetime) {
        return new Login(user, claims.signed(account, user.id(), now, lifetime));
    }

    /**
     * The id of the account that a credentials file's user belongs to.
     *
     * @throws IllegalArgumentException for a file without a user
     */
    public static String accountOf(String file) {
        final JsonNode user = Claims.payload(file);
        return user.at("/nats/issuer_account").asText(user.path("iss").asText());
    }

    /** As NATS's clients read it from a file. */
    public String file() {
        return String.format(JwtUtils.NATS_USER_JWT_FORMAT, jwt, key.seed());
    }
}
