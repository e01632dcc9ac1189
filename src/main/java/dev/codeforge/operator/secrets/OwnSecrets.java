package dev.codeforge.operator.secrets;

import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.net.HttpURLConnection;
import java.util.Map;
import java.util.function.Supplier;

/** Secrets in the operator's own namespace. They survive upgrades and uninstalls, because Helm does not manage them. */
final class OwnSecrets {
    private static final String OPERATOR = "codeforge-operator";

    private final KubernetesClient client;
    private final String namespace;

    OwnSecrets(KubernetesClient client, String namespace) {
        this.client = client;
        this.namespace = namespace;
    }

    /**
     * The Secret of that name; the first of several operators creates it. {@code data} is base64, as Kubernetes has it.
     */
    Secret readOrCreate(String name, Supplier<Map<String, String>> data) {
        final var secrets = client.secrets().inNamespace(namespace);
        final Secret found = secrets.withName(name).get();
        if (found != null) {
            return found;
        }
        try {
            return secrets.resource(secret(name, data.get())).create();
        } catch (KubernetesClientException e) {
            if (e.getCode() != HttpURLConnection.HTTP_CONFLICT) {
                throw e;
            }
            return secrets.withName(name).require();
        }
    }

    void apply(String name, Map<String, String> data) {
        client.resource(secret(name, data))
                .fieldManager(OPERATOR)
                .forceConflicts()
                .serverSideApply();
    }

    private Secret secret(String name, Map<String, String> data) {
        return new SecretBuilder()
                .withNewMetadata()
                .withName(name)
                .withNamespace(namespace)
                .addToLabels("app.kubernetes.io/managed-by", OPERATOR)
                .endMetadata()
                .withType("Opaque")
                .withData(data)
                .build();
    }
}
