package dev.codeforge.testing;

import dev.codeforge.operator.framework.OperatorClient;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;

/**
 * The roles and policies of an installed chart on a test's API server, as {@code hack/test/chart} has compared them with
 * what Helm renders.
 *
 * @param namespace the release's
 */
public record ChartRights(TestCluster cluster, String namespace) {
    private static final String OPERATOR = "codeforge-operator";
    private static final Set<String> KINDS = Set.of(
            "ServiceAccount",
            "ClusterRole",
            "ClusterRoleBinding",
            "Role",
            "RoleBinding",
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding");

    /** @param golden a file of hack/test/chart-golden, without its ending */
    public static ChartRights install(TestCluster cluster, String golden, String namespace) throws IOException {
        makeNamespace(cluster, namespace);
        try (InputStream in = Files.newInputStream(Path.of("hack/test/chart-golden", golden + ".yaml"))) {
            for (final HasMetadata object : cluster.client().load(in).items()) {
                if (KINDS.contains(object.getKind())) {
                    if (object.getMetadata().getNamespace() != null) {
                        makeNamespace(cluster, object.getMetadata().getNamespace());
                    }
                    cluster.client().resource(object).serverSideApply();
                }
            }
        }
        return new ChartRights(cluster, namespace);
    }

    private static void makeNamespace(TestCluster cluster, String name) {
        cluster.client()
                .resource(new NamespaceBuilder()
                        .withNewMetadata()
                        .withName(name)
                        .endMetadata()
                        .build())
                .serverSideApply();
    }

    /** With the rights of the release's operator, and no others. */
    public KubernetesClient operator() {
        return as(
                "system:serviceaccount:" + namespace + ":" + OPERATOR,
                "system:serviceaccounts",
                "system:serviceaccounts:" + namespace,
                "system:authenticated");
    }

    public KubernetesClient as(String user, String... groups) {
        return OperatorClient.of(new ConfigBuilder(cluster.server().config())
                .withImpersonateUsername(user)
                .withImpersonateGroups(groups)
                .build());
    }
}
