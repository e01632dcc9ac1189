package dev.codeforge.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.codeforge.identity.Mint;
import io.nats.client.NKey;
import io.nats.client.support.JwtUtils;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;

/** Who runs a NATS server in operator mode that is not CodeForge's: makes accounts by its lists, and hands out keys of them. */
public final class ForeignOperator {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int NO_LIMIT = -1;

    private final JsonNode reach = reach();
    private final NKey operator = made(NKey::createOperator);
    private final NKey signing = made(NKey::createOperator);
    private final Account system = account("SYS", false);
    /** With all streams, and CodeForge's operator as a user. */
    private final Account streams = account("STREAMS", true);

    private final Map<String, String> accounts = new LinkedHashMap<>();

    /** Makes a key from chance. */
    private interface Making {
        NKey from(java.security.SecureRandom random) throws IOException, GeneralSecurityException;
    }

    /**
     * @param jwt as the team hands it out
     * @param seed of its signing key
     */
    public record Handed(String jwt, String seed) {}

    private record Account(NKey key, ObjectNode body, String name) {
        String id() {
            return publicKey(key);
        }
    }

    public ForeignOperator() {
        final ArrayNode exports = streams.body().putArray("exports");
        reach.at("/streams/exports").forEach(export -> exports.addObject()
                .put("name", export.path("subject").asText())
                .setAll((ObjectNode) export.deepCopy()));
        signed(system);
        signed(streams);
    }

    /** The account with the streams, handed out with a signing key of it. */
    public Handed streamsWithKey() {
        return withKey(streams);
    }

    /** An account for workers, whose key may sign users with any right in it. */
    public Handed workers(String name) {
        return withKey(importing(name));
    }

    /** An account for workers, whose key signs workers of single pools only. */
    public Handed workersWithScopedKey(String name) {
        final Account account = importing(name);
        final NKey signing = made(NKey::createAccount);
        final ObjectNode scope = account.body()
                .putArray("signing_keys")
                .addObject()
                .put("kind", "user_scope")
                .put("key", publicKey(signing))
                .put("role", "pool-worker");
        final ObjectNode template = scope.putObject("template");
        template.putObject("pub").set("allow", ofTags(reach.at("/pool/publish")));
        template.putObject("sub").set("allow", ofTags(reach.at("/pool/subscribe")));
        template.putObject("resp")
                .put("max", 1)
                .put("ttl", Duration.ofMinutes(1).toNanos());
        template.put("subs", NO_LIMIT).put("data", NO_LIMIT).put("payload", NO_LIMIT);
        return new Handed(signed(account), seed(signing));
    }

    private static ArrayNode ofTags(JsonNode subjects) {
        final ArrayNode all = JSON.createArrayNode();
        subjects.forEach(subject ->
                all.add(subject.asText().replace("{namespace}", "{{tag(ns)}}").replace("{pool}", "{{tag(pool)}}")));
        return all;
    }

    private Handed withKey(Account account) {
        final NKey signing = made(NKey::createAccount);
        account.body().putArray("signing_keys").add(publicKey(signing));
        return new Handed(signed(account), seed(signing));
    }

    private Account importing(String name) {
        final Account account = account(name, false);
        final ArrayNode imports = account.body().putArray("imports");
        for (final String list : new String[] {"/namespace/imports", "/pool/imports"}) {
            reach.at(list).forEach(shared -> imports.addObject()
                    .put("name", shared.path("subject").asText())
                    .put("subject", ofAll(shared.path("subject").asText()))
                    .put("account", streams.id())
                    .put("type", shared.path("type").asText()));
        }
        return account;
    }

    /** A wildcard for each token that names a namespace or a pool. */
    private static String ofAll(String subject) {
        return Arrays.stream(subject.split("\\."))
                .map(token -> token.contains("{") ? "*" : token)
                .collect(Collectors.joining("."));
    }

    private static Account account(String name, boolean jetStream) {
        final ObjectNode body = body("account");
        final ObjectNode limits = body.putObject("limits")
                .put("subs", NO_LIMIT)
                .put("data", NO_LIMIT)
                .put("payload", NO_LIMIT)
                .put("imports", NO_LIMIT)
                .put("exports", NO_LIMIT)
                .put("wildcards", true)
                .put("conn", NO_LIMIT);
        if (jetStream) {
            limits.put("mem_storage", NO_LIMIT).put("disk_storage", NO_LIMIT);
            limits.put("streams", NO_LIMIT).put("consumer", NO_LIMIT);
        }
        return new Account(made(NKey::createAccount), body, name);
    }

    private String signed(Account account) {
        final String jwt = issued(operator, account.id(), account.name(), account.body());
        accounts.put(account.id(), jwt);
        return jwt;
    }

    /** Credentials of a user with all rights in the account with the streams. */
    public String streamsUser(String name) {
        return user(streams, name);
    }

    /** A seed of a user, of no use as a signing key. */
    public String userSeed() {
        return seed(made(NKey::createUser));
    }

    /** An account for workers that has JetStream, too. */
    public Handed workersWithJetStream(String name) {
        final Account account = importing(name);
        ((ObjectNode) account.body().path("limits")).put("disk_storage", 1 << 20);
        return withKey(account);
    }

    /** Credentials of a user who may change accounts. */
    public String systemUser(String name) {
        return user(system, name);
    }

    /** The seed of the signing key of the operator itself. */
    public String signingSeed() {
        return seed(signing);
    }

    private static String user(Account account, String name) {
        final NKey key = made(NKey::createUser);
        final ObjectNode body =
                body("user").put("subs", NO_LIMIT).put("data", NO_LIMIT).put("payload", NO_LIMIT);
        return String.format(
                JwtUtils.NATS_USER_JWT_FORMAT, issued(account.key(), publicKey(key), name, body), seed(key));
    }

    /** A server that knows the accounts that were made until now, and takes no others. */
    String withTheseAccounts(int port, Path data) {
        return configuration(port, data, "MEMORY");
    }

    /** A server that takes accounts from a user of its system account. */
    String withMoreAccounts(int port, Path data) {
        return configuration(port, data, "{ type: full, dir: \"" + data.resolve("jwt") + "\", allow_delete: true }");
    }

    private String configuration(int port, Path data, String resolver) {
        return """
        server_name: foreign
        listen: 127.0.0.1:%d
        jetstream { store_dir: "%s" }
        operator: %s
        system_account: %s
        resolver: %s
        resolver_preload: {
          %s
        }
        """
                .formatted(
                        port,
                        data,
                        issued(operator, publicKey(operator), "foreign", trusted()),
                        system.id(),
                        resolver,
                        accounts.entrySet().stream()
                                .map(account -> account.getKey() + ": " + account.getValue())
                                .collect(Collectors.joining("\n  ")));
    }

    private ObjectNode trusted() {
        final ObjectNode body = body("operator").put("system_account", system.id());
        body.putArray("signing_keys").add(publicKey(signing));
        return body;
    }

    private static ObjectNode body(String type) {
        return JSON.createObjectNode().put("type", type).put("version", 2);
    }

    private static String issued(NKey issuer, String subject, String name, ObjectNode body) {
        try {
            return JwtUtils.issueJWT(
                    issuer, subject, name, null, Instant.now().getEpochSecond(), publicKey(issuer), body::toString);
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static NKey made(Making making) {
        try {
            return making.from(new java.security.SecureRandom());
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String publicKey(NKey key) {
        try {
            return new String(key.getPublicKey());
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String seed(NKey key) {
        return new String(key.getSeed());
    }

    private static JsonNode reach() {
        try (InputStream in = Objects.requireNonNull(Mint.class.getResourceAsStream("reach.json"))) {
            return JSON.readTree(in);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
