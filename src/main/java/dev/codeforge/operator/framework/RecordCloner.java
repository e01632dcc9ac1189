package dev.codeforge.operator.framework;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.WorkerPool;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import io.javaoperatorsdk.operator.api.config.Cloner;

/**
 * Copies what a reconcile receives, so that the cache is not changed. Spec and status of our resources are immutable
 * records, so only the metadata is copied. The framework's own cloner converts each object to JSON and back.
 */
public final class RecordCloner implements Cloner {
    private final KubernetesSerialization others = new KubernetesSerialization();

    @Override
    @SuppressWarnings("unchecked")
    public <R extends HasMetadata> R clone(R resource) {
        return switch (resource) {
            case AgentTask task -> (R) copy(task, new AgentTask());
            case WorkerPool pool -> (R) copy(pool, new WorkerPool());
            default -> others.clone(resource);
        };
    }

    private static <S, T, R extends CustomResource<S, T>> R copy(R from, R into) {
        into.setMetadata(new ObjectMetaBuilder(from.getMetadata()).build());
        into.setSpec(from.getSpec());
        into.setStatus(from.getStatus());
        return into;
    }
}
