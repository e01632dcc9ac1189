package dev.codeforge.operator.runtime;

import dev.codeforge.wire.DispatchKey;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.net.HttpURLConnection;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;

/** The operator's key, made once and kept by the cluster over upgrades and uninstalls: Helm does not know it. */
public final class DispatchKeySecret {
    public static final String NAME = "codeforge-dispatch-key";
    private static final String FIELD = "key";
    /** Optional: the key before it was changed by hand; what runs under it still ends. */
    private static final String PREVIOUS = "previous";

    private DispatchKeySecret() {}

    public static DispatchKey readOrCreate(KubernetesClient client, String namespace) {
        final Secret made = new SecretBuilder()
                .withNewMetadata()
                .withName(NAME)
                .withNamespace(namespace)
                .addToLabels("app.kubernetes.io/managed-by", "codeforge-operator")
                .endMetadata()
                .withType("Opaque")
                .addToData(FIELD, Base64.getEncoder().encodeToString(DispatchKey.generate()))
                .build();
        Secret secret = client.secrets().inNamespace(namespace).withName(NAME).get();
        if (secret == null) {
            try {
                secret = client.secrets().inNamespace(namespace).resource(made).create();
            } catch (KubernetesClientException e) {
                if (e.getCode() != HttpURLConnection.HTTP_CONFLICT) {
                    throw e;
                }
                secret = client.secrets().inNamespace(namespace).withName(NAME).require();
            }
        }
        final Map<String, String> data = secret.getData();
        return new DispatchKey(
                decode(data.getOrDefault(FIELD, "")),
                Optional.ofNullable(data.get(PREVIOUS)).map(old -> new DispatchKey(decode(old))));
    }

    private static byte[] decode(String value) {
        return Base64.getDecoder().decode(value);
    }
}
