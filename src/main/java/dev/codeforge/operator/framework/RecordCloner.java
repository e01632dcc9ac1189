package dev.codeforge.operator.framework;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.WorkerPool;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import io.javaoperatorsdk.operator.api.config.Cloner;

/**
 * Copies what a reconcile is given, so that the cache stays as it is. Spec and status of our own resources are records that
 * nobody changes, so their metadata is all there is to copy; the framework's way, to JSON and back, is done for each event.
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
