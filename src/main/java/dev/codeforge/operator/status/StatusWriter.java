package dev.codeforge.operator.status;

import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import java.net.HttpURLConnection;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Writes a status if it differs from the stored one, and returns after the API server has stored it.
 *
 * @param <T> the status
 * @param <R> the resource
 */
public final class StatusWriter<T, R extends CustomResource<?, T>> {
    private static final Set<Integer> OVERTAKEN =
            Set.of(HttpURLConnection.HTTP_CONFLICT, HttpURLConnection.HTTP_NOT_FOUND);

    private final Supplier<R> empty;

    /** @param empty creates a resource without any field */
    public StatusWriter(Supplier<R> empty) {
        this.empty = empty;
    }

    /**
     * Writes {@code status} if it has changed, with the resourceVersion of the object that it was computed from. If the
     * object has changed, the write is a conflict and the caller reconciles again. The framework's own writer would
     * retry the same status on the changed object, even over a newer status of another leader.
     *
     * @param smallest makes the status to write when the API server refuses the whole one: the fields that decide,
     *     without text from outside. Its argument is the refusal
     * @return the stored status; empty when the object has changed or is gone: reconcile again
     */
    public Optional<T> write(R resource, T status, Function<String, T> smallest, Context<R> context) {
        try {
            return put(resource, status, context);
        } catch (KubernetesClientException e) {
            if (ApiRefusal.is(e)) {
                return put(resource, smallest.apply(ApiRefusal.words(e)), context);
            }
            throw e;
        }
    }

    private Optional<T> put(R resource, T status, Context<R> context) {
        if (Objects.equals(resource.getStatus(), status)) {
            return Optional.of(status);
        }
        final ObjectMeta metadata = resource.getMetadata();
        final R fresh = empty.get();
        fresh.setMetadata(new ObjectMetaBuilder()
                .withName(metadata.getName())
                .withNamespace(metadata.getNamespace())
                .withUid(metadata.getUid())
                .withResourceVersion(metadata.getResourceVersion())
                .build());
        fresh.setStatus(status);
        try {
            final R written = context.getClient()
                    .resource(fresh)
                    .subresource("status")
                    .patch(new PatchContext.Builder()
                            .withPatchType(PatchType.SERVER_SIDE_APPLY)
                            .withFieldManager(
                                    context.getControllerConfiguration().fieldManager())
                            .withForce(true)
                            .build());
            context.eventSourceRetriever()
                    .getControllerEventSource()
                    .handleRecentResourceUpdate(ResourceID.fromResource(resource), written, resource);
            return Optional.of(status);
        } catch (KubernetesClientException e) {
            if (OVERTAKEN.contains(e.getCode())) {
                return Optional.empty();
            }
            throw e;
        }
    }
}
