package dev.codeforge.soak;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.utils.Serialization;

/** Resources of CodeForge from the YAML of their spec. */
final class Yaml {
    private Yaml() {}

    static <T extends HasMetadata> T create(
            KubernetesClient client, Class<T> type, String namespace, String name, String spec) {
        final T resource = Serialization.unmarshal(
                """
                apiVersion: codeforge.dev/v1alpha1
                kind: %s
                metadata: {name: %s, namespace: %s}
                spec:
                """
                                .formatted(type.getSimpleName(), name, namespace)
                        + spec.stripTrailing().indent(2),
                type);
        return client.resource(resource).create();
    }
}
