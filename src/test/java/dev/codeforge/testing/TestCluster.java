package dev.codeforge.testing;

import dev.codeforge.operator.framework.OperatorClient;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * A real kube-apiserver with etcd, shared by all tests that leave it alive: no controllers run in it, so Deployments make
 * no pods. Each test takes a namespace of its own.
 */
public final class TestCluster {
    private static TestCluster shared;

    private final TestApiServer server = new TestApiServer();
    private final KubernetesClient client;

    /** One of its own, for tests that kill it. */
    public TestCluster() throws IOException {
        Runtime.getRuntime().addShutdownHook(new Thread(server::close));
        client = OperatorClient.of(server.config());
        try (Stream<Path> crds = Files.list(Path.of("crds"))) {
            for (final Path crd : crds.toList()) {
                try (InputStream in = Files.newInputStream(crd)) {
                    client.load(in).serverSideApply();
                }
            }
        }
    }

    /** Started with the first use, stopped with the JVM. */
    public static synchronized TestCluster shared() throws IOException {
        if (shared == null) {
            shared = new TestCluster();
        }
        return shared;
    }

    public TestApiServer server() {
        return server;
    }

    public KubernetesClient client() {
        return client;
    }

    public String newNamespace() {
        final String name = "test-" + UUID.randomUUID().toString().substring(0, 8);
        client.resource(new NamespaceBuilder()
                        .withNewMetadata()
                        .withName(name)
                        .endMetadata()
                        .build())
                .create();
        return name;
    }
}
