package dev.codeforge.operator.task;

import dev.codeforge.api.AgentTask;
import io.fabric8.kubernetes.api.model.DeleteOptionsBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.net.HttpURLConnection;
import java.util.Set;

/** Deletes tasks that have ended and are no longer kept, with UID and resourceVersion as preconditions. */
public final class FinishedTasks {
    /** The task is gone, or has changed since it was read: a rerun may have been requested. */
    private static final Set<Integer> OVERTAKEN =
            Set.of(HttpURLConnection.HTTP_NOT_FOUND, HttpURLConnection.HTTP_CONFLICT);

    private final KubernetesClient client;

    public FinishedTasks(KubernetesClient client) {
        this.client = client;
    }

    /** @return false when the task has changed or is gone: reconcile it again */
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
