package dev.codeforge.operator.secrets;

import dev.codeforge.wire.DispatchKey;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;

/**
 * The operator's dispatch key. The operator creates it once, and it survives upgrades and uninstalls because Helm does
 * not manage it.
 */
public final class DispatchKeySecret {
    public static final String NAME = "codeforge-dispatch-key";
    private static final String FIELD = "key";
    /** Optional: the key before a manual rotation. Tasks that were published with it can still end. */
    private static final String PREVIOUS = "previous";

    private DispatchKeySecret() {}

    public static DispatchKey readOrCreate(KubernetesClient client, String namespace) {
        final Secret secret = new OwnSecrets(client, namespace)
                .readOrCreate(NAME, () -> Map.of(FIELD, Base64.getEncoder().encodeToString(DispatchKey.generate())));
        final Map<String, String> data = secret.getData();
        return new DispatchKey(
                decode(data.getOrDefault(FIELD, "")),
                Optional.ofNullable(data.get(PREVIOUS)).map(old -> new DispatchKey(decode(old))));
    }

    private static byte[] decode(String value) {
        return Base64.getDecoder().decode(value);
    }
}
