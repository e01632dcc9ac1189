package dev.codeforge.testing;

import io.fabric8.kubernetes.api.model.authentication.TokenRequestBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;

/** What {@code kubectl create token} prints. */
public final class ServiceAccountToken {
    private ServiceAccountToken() {}

    public static String of(KubernetesClient client, String namespace, String account) {
        return client.serviceAccounts()
                .inNamespace(namespace)
                .withName(account)
                .tokenRequest(new TokenRequestBuilder()
                        .withNewSpec()
                        .withExpirationSeconds(3_600L)
                        .endSpec()
                        .build())
                .getStatus()
                .getToken();
    }
}
