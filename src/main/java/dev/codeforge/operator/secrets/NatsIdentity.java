package dev.codeforge.operator.secrets;

import dev.codeforge.identity.Key;
import dev.codeforge.identity.Keys;
import dev.codeforge.identity.Mint;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Instant;
import java.util.Base64;
import java.util.Map;

/**
 * The keys of the NATS server for which the operator creates users. Their Secret is created once and survives upgrades
 * and uninstalls, because Helm does not manage it. NATS's pod mounts parts of it, and waits until it exists.
 *
 * @param since when the Secret was created
 */
public record NatsIdentity(Keys keys, Mint mint, Instant since) {
    public static final String SECRET = "codeforge-nats-identity";
    /** Users for people, their programs, and the console. */
    public static final String USERS_SECRET = "codeforge-nats-users";

    private static final String MASTER = "master";
    private static final String CONFIGURATION = "operator.conf";
    private static final String STREAMS_ACCOUNT = "streams-account";

    public static NatsIdentity readOrCreate(KubernetesClient client, String namespace, Clock clock) {
        final Secret secret = new OwnSecrets(client, namespace).readOrCreate(SECRET, () -> generated(clock));
        final byte[] master = Base64.getDecoder().decode(secret.getData().getOrDefault(MASTER, ""));
        final Keys keys = new Keys(master);
        return new NatsIdentity(
                keys, new Mint(keys), Instant.parse(secret.getMetadata().getCreationTimestamp()));
    }

    /** The same accounts and users, signed by the operator of another server. */
    public NatsIdentity signedBy(Key operator) {
        return new NatsIdentity(keys, new Mint(keys, operator), since);
    }

    private static Map<String, String> generated(Clock clock) {
        final byte[] master = Keys.generate();
        final Keys keys = new Keys(master);
        return Map.of(
                MASTER,
                Base64.getEncoder().encodeToString(master),
                CONFIGURATION,
                encoded(new Mint(keys).serverConfiguration(clock.instant())),
                STREAMS_ACCOUNT,
                encoded(keys.streams().id()));
    }

    /** Writes the users that are not the operator's own. The result is deterministic. */
    public void applyUsers(KubernetesClient client, String namespace) {
        new OwnSecrets(client, namespace)
                .apply(
                        USERS_SECRET,
                        Map.of(
                                "admin.creds",
                                encoded(mint.streams("admin", since).file()),
                                "client.creds",
                                encoded(mint.client(since).file()),
                                "console.creds",
                                encoded(mint.console(since).file())));
    }

    private static String encoded(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }
}
