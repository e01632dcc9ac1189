package dev.codeforge.operator.task;

import dev.codeforge.api.AgentTask;
import io.fabric8.kubernetes.api.model.DeleteOptionsBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.net.HttpURLConnection;
import java.util.Set;

/** Deletes tasks whose time to live is over: this very object as it was seen, or none. */
final class ExpiredTasks {
    /** Gone, or changed since it was seen: a rerun may have been asked for. The change brings the task here again. */
    private static final Set<Integer> OVERTAKEN =
            Set.of(HttpURLConnection.HTTP_NOT_FOUND, HttpURLConnection.HTTP_CONFLICT);

    private final KubernetesClient client;

    ExpiredTasks(KubernetesClient client) {
        this.client = client;
    }

    void delete(AgentTask task) {
        final String path = "/apis/" + task.getApiVersion() + "/namespaces/"
                + task.getMetadata().getNamespace() + "/agenttasks/"
                + task.getMetadata().getName();
        try {
            client.raw(
                    path,
                    "DELETE",
                    new DeleteOptionsBuilder()
                            .withNewPreconditions()
                            .withUid(task.uid())
                            .withResourceVersion(task.getMetadata().getResourceVersion())
                            .endPreconditions()
                            .build());
        } catch (KubernetesClientException e) {
            if (!OVERTAKEN.contains(e.getCode())) {
                throw e;
            }
        }
    }
}
