package dev.codeforge.identity;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/** An account of another owner, with one of its signing keys, in which the operator creates users. */
public final class DelegatedAccount {
    private final String id;
    private final Key signing;
    private final boolean scoped;
    private final boolean jetStream;
    private final Keys users;
    private final Reach reach = Reach.shipped();

    private DelegatedAccount(String id, Key signing, boolean scoped, boolean jetStream) {
        this.id = id;
        this.signing = signing;
        this.scoped = scoped;
        this.jetStream = jetStream;
        // The users' keys are derived from the signing key, so no other secret has to be stored.
        this.users = new Keys(signing.seed().getBytes(StandardCharsets.US_ASCII));
    }

    /**
     * @param jwt of the account
     * @throws IllegalArgumentException with a sentence without its subject, when it is no account's
     */
    public static DelegatedAccount of(String jwt, Key signing) {
        final JsonNode account = Claims.payload(jwt);
        final JsonNode body = account.path("nats");
        if (!"account".equals(body.path("type").asText())) {
            throw new IllegalArgumentException(
                    "it is the JWT of no account, but of " + body.path("type").asText("something else"));
        }
        final String id = account.path("sub").asText();
        final Optional<JsonNode> found = body.path("signing_keys")
                .valueStream()
                .filter(key ->
                        signing.id().equals(key.isObject() ? key.path("key").asText() : key.asText()))
                .findFirst();
        if (found.isEmpty() && !signing.id().equals(id)) {
            throw new IllegalArgumentException(
                    "it is of account " + account.path("name").asText() + " (" + id
                            + "), which does not have the signing key " + signing.id());
        }
        return new DelegatedAccount(
                id, signing, found.filter(JsonNode::isObject).isPresent(), hasJetStream(body.path("limits")));
    }

    private static boolean hasJetStream(JsonNode limits) {
        return limits.path("disk_storage").asLong() != 0
                || limits.path("mem_storage").asLong() != 0
                || !limits.path("tiered_limits").isEmpty();
    }

    String id() {
        return id;
    }

    boolean hasJetStream() {
        return jetStream;
    }

    /** A login for this pool's workers with this lifetime. */
    public Login worker(String namespace, PoolIdentity pool, Instant now, Duration lifetime) {
        final Claims claims = scoped
                ? UserClaims.scopedWorker(namespace, pool.name())
                : UserClaims.worker(reach, namespace, pool.name());
        if (!signing.id().equals(id)) {
            claims.body().put("issuer_account", id);
        }
        return Login.of(signing, users.pool(pool.uid()), claims, now, Optional.of(lifetime));
    }
}
