package dev.codeforge.operator.pool.workers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import dev.codeforge.testing.Resources;
import dev.codeforge.testing.TestCluster;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A real API server deletes the pod that answered, and no other by its name. */
final class SpentPodsIT {
    @Test
    void onlyThePodThatAnsweredIsDeleted() throws Exception {
        final KubernetesClient client = TestCluster.shared().client();
        final String namespace = TestCluster.shared().newNamespace();
        client.resource(Resources.of(
                        ServiceAccount.class, "metadata: {name: default, namespace: %s}".formatted(namespace)))
                .create();
        final Pod pod = client.resource(Resources.of(
                        Pod.class,
                        """
                        metadata: {name: worker, namespace: %s}
                        spec: {automountServiceAccountToken: false, containers: [{name: worker, image: worker:test}]}
                        """
                                .formatted(namespace)))
                .create();
        final Pod former = new PodBuilder(pod)
                .editMetadata()
                .withUid("another")
                .endMetadata()
                .build();
        final SpentPods pods = new SpentPods(client);
        pods.delete(List.of(former));
        assertThat(client.resource(pod).get()).isNotNull();
        pods.delete(List.of(pod));
        assertThat(client.resource(pod).get()).isNull();
        assertThatCode(() -> pods.delete(List.of(pod))).as("it is gone").doesNotThrowAnyException();
    }
}
