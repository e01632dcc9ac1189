package dev.codeforge.operator.framework;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;

/** The Kubernetes client as the operator uses it. */
public final class OperatorClient {
    /** The reconcile is what is tried again: by default the client holds an error answer back for minutes. */
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
