package dev.codeforge.operator.runtime;

import dev.codeforge.identity.Keys;
import dev.codeforge.identity.Mint;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.net.HttpURLConnection;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Instant;
import java.util.Base64;

/**
 * The keys of the NATS server that the operator makes users for. Their Secret is made once and kept by the cluster over
 * upgrades and uninstalls: Helm does not know it. NATS's pod mounts what it needs of it, and waits until it is there.
 *
 * @param since when the Secret was made
 */
public record NatsIdentity(Mint mint, Instant since) {
    public static final String SECRET = "codeforge-nats-identity";
    /** Users for people and their programs. */
    public static final String USERS_SECRET = "codeforge-nats-users";

    private static final String MASTER = "master";
    private static final String CONFIGURATION = "operator.conf";
    private static final String STREAMS_ACCOUNT = "streams-account";
    private static final String OPERATOR = "codeforge-operator";

    public static NatsIdentity readOrCreate(KubernetesClient client, String namespace, Clock clock) {
        final var secrets = client.secrets().inNamespace(namespace);
        Secret secret = secrets.withName(SECRET).get();
        if (secret == null) {
            try {
                secret = secrets.resource(generated(namespace, clock)).create();
            } catch (KubernetesClientException e) {
                if (e.getCode() != HttpURLConnection.HTTP_CONFLICT) {
                    throw e;
                }
                secret = secrets.withName(SECRET).require();
            }
        }
        final byte[] master = Base64.getDecoder().decode(secret.getData().getOrDefault(MASTER, ""));
        return new NatsIdentity(
                new Mint(new Keys(master)), Instant.parse(secret.getMetadata().getCreationTimestamp()));
    }

    private static Secret generated(String namespace, Clock clock) {
        final byte[] master = Keys.generate();
        final Keys keys = new Keys(master);
        return secret(SECRET, namespace)
                .addToData(MASTER, Base64.getEncoder().encodeToString(master))
                .addToData(CONFIGURATION, encoded(new Mint(keys).serverConfiguration(clock.instant())))
                .addToData(STREAMS_ACCOUNT, encoded(keys.streams().id()))
                .build();
    }

    /** Writes the users that are not the operator's own: the same bytes each time. */
    public void applyUsers(KubernetesClient client, String namespace) {
        client.resource(secret(USERS_SECRET, namespace)
                        .addToData(
                                "admin.creds",
                                encoded(mint.streams("admin", since).file()))
                        .addToData("client.creds", encoded(mint.client(since).file()))
                        .build())
                .fieldManager(OPERATOR)
                .forceConflicts()
                .serverSideApply();
    }

    private static SecretBuilder secret(String name, String namespace) {
        return new SecretBuilder()
                .withNewMetadata()
                .withName(name)
                .withNamespace(namespace)
                .addToLabels("app.kubernetes.io/managed-by", OPERATOR)
                .endMetadata()
                .withType("Opaque");
    }

    private static String encoded(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }
}
