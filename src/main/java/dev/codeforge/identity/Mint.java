package dev.codeforge.identity;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Says and signs what the identities of an installation are. */
public final class Mint {
    private static final String STREAMS = "CODEFORGE";
    private static final long ANSWER_NANOSECONDS = Duration.ofMinutes(1).toNanos();
    private static final int NO_LIMIT = -1;

    private final Keys keys;
    private final Reach reach = Reach.shipped();

    public Mint(Keys keys) {
        this.keys = keys;
    }

    /**
     * What NATS reads at its start: whom it trusts, and the accounts that are there from the first moment. Whatever else it
     * learns from the operator.
     */
    public String serverConfiguration(Instant now) {
        return """
        operator: %s
        system_account: %s
        resolver_preload: {
          %2$s: %s
          %s: %s
          %s: %s
        }
        """
                .formatted(
                        sign(operator(), keys.operator().id(), now),
                        keys.system().id(),
                        sign(account("SYS"), keys.system().id(), now),
                        keys.streams().id(),
                        sign(streams(), keys.streams().id(), now),
                        keys.clients().id(),
                        sign(clients(), keys.clients().id(), now));
    }

    /** The accounts of an installation itself, by id, as they are to be. */
    Map<String, Claims> shared() {
        return Map.of(keys.streams().id(), streams(), keys.clients().id(), clients());
    }

    /** Signed by the operator's key. */
    String sign(Claims claims, String subject, Instant now) {
        return claims.signed(keys.operator(), subject, now, Optional.empty());
    }

    private Claims operator() {
        return new Claims(
                "codeforge",
                base("operator").put("system_account", keys.system().id()));
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

    /** The account of a namespace with these pools, without JetStream. */
    Claims namespace(NamespaceIdentity namespace, List<PoolIdentity> pools, Map<String, Long> revocations) {
        final Claims claims =
                importing(account("namespace " + namespace.name()), reach.imports(namespace.name(), pools));
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
        final ObjectNode body = base("account");
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

    private static ObjectNode base(String type) {
        return Claims.JSON.createObjectNode().put("type", type).put("version", 2);
    }

    /** Changes accounts. */
    public Login system(Instant now) {
        return login(keys.system(), keys.user("system"), user("codeforge-operator"), now, Optional.empty());
    }

    /** Has all rights in the account with the streams; the operator, and who runs the platform. */
    public Login streams(String name, Instant now) {
        return login(keys.streams(), keys.user(name), user(name), now, Optional.empty());
    }

    /** May ask for tasks and read what they wrote. */
    public Login client(Instant now) {
        return login(
                keys.clients(),
                keys.user("client"),
                user("client", reach.clients().publish(), reach.clients().subscribe()),
                now,
                Optional.empty());
    }

    /** A worker of this pool, for so long. */
    public Login worker(NamespaceIdentity namespace, PoolIdentity pool, Instant now, Duration lifetime) {
        final Claims claims = user(
                "pool " + namespace.name() + "/" + pool.name(),
                reach.publish(namespace.name(), pool.name()),
                reach.subscribe(namespace.name(), pool.name()));
        // Answers to the operator's questions.
        claims.body().putObject("resp").put("max", 1).put("ttl", ANSWER_NANOSECONDS);
        return login(keys.namespace(namespace.uid()), keys.pool(pool.uid()), claims, now, Optional.of(lifetime));
    }

    private static Login login(Key account, Key user, Claims claims, Instant now, Optional<Duration> lifetime) {
        return new Login(user, claims.signed(account, user.id(), now, lifetime));
    }

    private static Claims user(String name) {
        final ObjectNode body =
                base("user").put("subs", NO_LIMIT).put("data", NO_LIMIT).put("payload", NO_LIMIT);
        return new Claims(name, body);
    }

    private static Claims user(String name, List<String> publish, List<String> subscribe) {
        final Claims claims = user(name);
        publish.forEach(claims.body().putObject("pub").putArray("allow")::add);
        subscribe.forEach(claims.body().putObject("sub").putArray("allow")::add);
        return claims;
    }

    /** Asks the server to forget an account, for ever. */
    String deletion(String accountId, Instant now) {
        final ObjectNode body = base("generic");
        body.putArray("accounts").add(accountId);
        return sign(new Claims("deletion", body), keys.operator().id(), now);
    }
}
