package dev.codeforge.identity;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.nats.client.support.JwtUtils;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The content of a JWT about its subject, without its times.
 *
 * @param name for people
 * @param body the part {@code nats}
 */
record Claims(String name, ObjectNode body) {
    /** An account lists its users in this field, so that an unwanted one can be revoked by its key. */
    static final String USERS = "tags";

    /** An account has the UID of its namespace in this field, which NATS leaves to people. */
    static final String NAMESPACE_UID = "description";

    static final ObjectMapper JSON = new ObjectMapper();

    private static final Pattern JWT = Pattern.compile("eyJ[\\w-]+\\.[\\w-]+\\.[\\w-]+");

    static ObjectNode body(String type) {
        return JSON.createObjectNode().put("type", type).put("version", 2);
    }

    /** @param lifetime empty for a JWT that never expires */
    String signed(Key issuer, String subject, Instant now, Optional<Duration> lifetime) {
        try {
            return JwtUtils.issueJWT(
                    issuer.nkey(), subject, name, orNull(lifetime), now.getEpochSecond(), issuer.id(), body::toString);
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException("every JVM has Ed25519", e);
        }
    }

    private static @Nullable Duration orNull(Optional<Duration> lifetime) {
        return lifetime.orElse(null);
    }

    /** @throws IllegalArgumentException if the text is no JWT */
    static Claims read(String jwt) {
        final JsonNode all = payload(jwt);
        if (all.get("nats") instanceof ObjectNode body) {
            return new Claims(all.path("name").asText(), body);
        }
        throw new IllegalArgumentException("a JWT of NATS has no claim nats: " + all);
    }

    /**
     * The claims of the first JWT in a file.
     *
     * @throws IllegalArgumentException for a file without one
     */
    static JsonNode payload(String file) {
        final Matcher jwt = JWT.matcher(file);
        if (!jwt.find()) {
            throw new IllegalArgumentException("there is no JWT of NATS in it");
        }
        try {
            return JSON.readTree(JwtUtils.getClaimBody(jwt.group()));
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("a JWT of NATS is no JSON: " + e.getOriginalMessage(), e);
        }
    }

    /** Compares as text, because a parsed number may have another Java type than the same number in memory. */
    boolean saysTheSameAs(Claims other) {
        return name.equals(other.name) && body.toString().equals(other.body.toString());
    }

    Stream<String> users() {
        return body.path(USERS).valueStream().map(JsonNode::asText);
    }

    /** The numbers of an object that may be absent. */
    TreeMap<String, Long> numbers(String field) {
        final TreeMap<String, Long> numbers = new TreeMap<>();
        body.path(field)
                .properties()
                .forEach(entry -> numbers.put(entry.getKey(), entry.getValue().asLong()));
        return numbers;
    }
}
