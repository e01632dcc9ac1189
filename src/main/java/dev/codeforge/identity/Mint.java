package dev.codeforge.identity;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Builds and signs the JWTs of an installation's identities. */
public final class Mint {
    private static final String STREAMS = "CODEFORGE";
    private static final String NAMESPACE = "namespace ";
    private static final int NO_LIMIT = -1;

    private final Keys keys;
    private final Key operator;
    private final Reach reach = Reach.shipped();

    /** For a server that trusts only these keys. */
    public Mint(Keys keys) {
        this(keys, keys.operator());
    }

    /** @param operator signs the accounts; the server trusts it */
    public Mint(Keys keys, Key operator) {
        this.keys = keys;
        this.operator = operator;
    }

    /**
     * NATS's configuration at its start: the trusted operator and the initial accounts. The server receives all other
     * accounts from the operator.
     */
    public String serverConfiguration(Instant now) {
        return """
        operator: %s
        system_account: %s
        resolver_preload: {
          %2$s: %s
          %s: %s
          %s: %s
          %s: %s
        }
        """
                .formatted(
                        sign(operator(), operator.id(), now),
                        keys.system().id(),
                        sign(account("SYS"), keys.system().id(), now),
                        keys.streams().id(),
                        sign(streams(), keys.streams().id(), now),
                        keys.clients().id(),
                        sign(clients(), keys.clients().id(), now),
                        keys.viewers().id(),
                        sign(viewers(), keys.viewers().id(), now));
    }

    /** The installation's own accounts, by id, as wanted. */
    Map<String, Claims> shared() {
        return Map.of(
                keys.streams().id(),
                streams(),
                keys.clients().id(),
                clients(),
                keys.viewers().id(),
                viewers());
    }

    /** Whether this operator signed the account's JWT. An external server's operator may have changed its keys. */
    boolean hasSigned(String jwt) {
        return operator.id().equals(Claims.payload(jwt).path("iss").asText());
    }

    /** Signed by the operator's key. */
    String sign(Claims claims, String subject, Instant now) {
        return claims.signed(operator, subject, now, Optional.empty());
    }

    private Claims operator() {
        return new Claims(
                "codeforge",
                Claims.body("operator").put("system_account", keys.system().id()));
    }

    private Claims streams() {
        final Claims claims = account(STREAMS);
        ((ObjectNode) claims.body().get("limits"))
                .put("mem_storage", NO_LIMIT)
                .put("disk_storage", NO_LIMIT)
                .put("streams", NO_LIMIT)
                .put("consumer", NO_LIMIT);
        final ArrayNode exports = claims.body().putArray("exports");
        for (final Reach.Shared shared : reach.streams().exports()) {
            final ObjectNode export = exports.addObject()
                    .put("name", shared.subject())
                    .put("subject", shared.subject())
                    .put("type", shared.type());
            if (shared.responseType() != null) {
                export.put("response_type", shared.responseType());
            }
        }
        return claims;
    }

    private Claims clients() {
        return importing(account("CLIENTS"), reach.clients().imports());
    }

    private Claims viewers() {
        return importing(account("VIEWERS"), reach.viewers().imports());
    }

    /** The account of a namespace with these pools, without JetStream. */
    Claims namespace(NamespaceIdentity namespace, List<PoolIdentity> pools, Map<String, Long> revocations) {
        final Claims claims = importing(account(NAMESPACE + namespace.name()), reach.imports(namespace.name(), pools));
        // The account's key is derived from this UID, so that the UID identifies the account as this installation's.
        claims.body().put(Claims.NAMESPACE_UID, namespace.uid());
        pools.stream().map(this::user).forEach(claims.body().putArray(Claims.USERS)::add);
        if (!revocations.isEmpty()) {
            revocations.forEach(claims.body().putObject("revocations")::put);
        }
        return claims;
    }

    /** The id of a pool's user. */
    String user(PoolIdentity pool) {
        return keys.pool(pool.uid()).id();
    }

    String accountId(NamespaceIdentity namespace) {
        return keys.namespace(namespace.uid()).id();
    }

    /** The namespace of the account; empty if this installation did not create the account for a namespace. */
    Optional<NamespaceIdentity> namespaceOf(String accountId, Claims account) {
        return Optional.of(account)
                .filter(claims -> claims.name().startsWith(NAMESPACE))
                .map(claims -> new NamespaceIdentity(
                        claims.name().substring(NAMESPACE.length()),
                        claims.body().path(Claims.NAMESPACE_UID).asText()))
                .filter(namespace -> accountId(namespace).equals(accountId));
    }

    private Claims importing(Claims account, List<Reach.Shared> imported) {
        final ArrayNode imports = account.body().putArray("imports");
        for (final Reach.Shared shared : imported) {
            imports.addObject()
                    .put("name", shared.subject())
                    .put("subject", shared.subject())
                    .put("account", keys.streams().id())
                    .put("type", shared.type());
        }
        return account;
    }

    private static Claims account(String name) {
        final ObjectNode body = Claims.body("account");
        body.putObject("limits")
                .put("subs", NO_LIMIT)
                .put("data", NO_LIMIT)
                .put("payload", NO_LIMIT)
                .put("imports", NO_LIMIT)
                .put("exports", NO_LIMIT)
                .put("wildcards", true)
                .put("conn", NO_LIMIT);
        return new Claims(name, body);
    }

    /** May change accounts. */
    public Login system(Instant now) {
        return Login.of(
                keys.system(), keys.user("system"), UserClaims.unbounded("codeforge-operator"), now, Optional.empty());
    }

    /** Has all rights in the account with the streams: for the operator and the platform's administrators. */
    public Login streams(String name, Instant now) {
        return Login.of(keys.streams(), keys.user(name), UserClaims.unbounded(name), now, Optional.empty());
    }

    /** May request tasks and read their files and lines. */
    public Login client(Instant now) {
        return bounded(keys.clients(), "client", reach.clients(), now);
    }

    /** May subscribe to and read events and log lines of all tasks. */
    public Login console(Instant now) {
        return bounded(keys.viewers(), "console", reach.viewers(), now);
    }

    private Login bounded(Key account, String name, Reach.Bounded by, Instant now) {
        return Login.of(
                account,
                keys.user(name),
                UserClaims.bounded(name, by.publish(), by.subscribe()),
                now,
                Optional.empty());
    }

    /** A login for this pool's workers with this lifetime. */
    public Login worker(NamespaceIdentity namespace, PoolIdentity pool, Instant now, Duration lifetime) {
        return Login.of(
                keys.namespace(namespace.uid()),
                keys.pool(pool.uid()),
                UserClaims.worker(reach, namespace.name(), pool.name()),
                now,
                Optional.of(lifetime));
    }

    /** The request to delete an account for ever. */
    String deletion(String accountId, Instant now) {
        final ObjectNode body = Claims.body("generic");
        body.putArray("accounts").add(accountId);
        return sign(new Claims("deletion", body), operator.id(), now);
    }
}
