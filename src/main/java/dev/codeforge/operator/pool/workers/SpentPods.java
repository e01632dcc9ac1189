package dev.codeforge.operator.pool.workers;

import io.fabric8.kubernetes.api.model.DeleteOptionsBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.net.HttpURLConnection;
import java.util.List;
import java.util.Set;

/** Deletes pods whose workers are spent, with the UID as precondition. The ReplicaSet replaces them. */
public final class SpentPods {
    /** The pod is gone, or another pod has its name. */
    private static final Set<Integer> OVERTAKEN =
            Set.of(HttpURLConnection.HTTP_NOT_FOUND, HttpURLConnection.HTTP_CONFLICT);

    private final KubernetesClient client;

    public SpentPods(KubernetesClient client) {
        this.client = client;
    }

    /** Deletes the pods with their usual grace period. */
    public void delete(List<Pod> pods) {
        pods.forEach(this::delete);
    }

    private void delete(Pod pod) {
        try {
            client.raw(
                    "/api/v1/namespaces/" + pod.getMetadata().getNamespace() + "/pods/"
                            + pod.getMetadata().getName(),
                    "DELETE",
                    new DeleteOptionsBuilder()
                            .withNewPreconditions()
                            .withUid(pod.getMetadata().getUid())
                            .endPreconditions()
                            .build());
        } catch (KubernetesClientException e) {
            if (!OVERTAKEN.contains(e.getCode())) {
                throw e;
            }
        }
    }
}
