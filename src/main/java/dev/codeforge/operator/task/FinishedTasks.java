package dev.codeforge.operator.task;

import dev.codeforge.api.AgentTask;
import io.fabric8.kubernetes.api.model.DeleteOptionsBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.net.HttpURLConnection;
import java.util.Set;

/** Deletes tasks that have ended and are kept no longer: this very object as it was seen, or none. */
public final class FinishedTasks {
    /** Gone, or changed since it was seen: a rerun may have been asked for.  */
    private static final Set<Integer> OVERTAKEN =
            Set.of(HttpURLConnection.HTTP_NOT_FOUND, HttpURLConnection.HTTP_CONFLICT);

    private final KubernetesClient client;

    public FinishedTasks(KubernetesClient client) {
        this.client = client;
    }

    /** @return false when the task has changed, or is gone: look again */
    public boolean delete(AgentTask task) {
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
            return true;
        } catch (KubernetesClientException e) {
            if (OVERTAKEN.contains(e.getCode())) {
                return false;
            }
            throw e;
        }
    }
}
