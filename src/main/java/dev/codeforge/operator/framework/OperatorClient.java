package dev.codeforge.operator.framework;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;

/** The Kubernetes client with the operator's settings. */
public final class OperatorClient {
    /**
     * Failed requests are retried by the reconcile. By default the client retries for minutes before it returns an
     * error.
     */
    private static final int RETRIES = 1;

    private OperatorClient() {}

    public static KubernetesClient of(Config config) {
        return new KubernetesClientBuilder()
                .withConfig(new ConfigBuilder(config)
                        .withRequestRetryBackoffLimit(RETRIES)
                        .build())
                .build();
    }
}
