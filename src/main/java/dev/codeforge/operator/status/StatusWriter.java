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
 * Writes a status when it differs from the one that is there, and returns only after the API server has it.
 *
 * @param <T> the status
 * @param <R> the resource
 */
public final class StatusWriter<T, R extends CustomResource<?, T>> {
    private static final Set<Integer> OVERTAKEN =
            Set.of(HttpURLConnection.HTTP_CONFLICT, HttpURLConnection.HTTP_NOT_FOUND);

    private final Supplier<R> empty;

    /** @param empty makes a resource without any field */
    public StatusWriter(Supplier<R> empty) {
        this.empty = empty;
    }

    /**
     * Writes {@code status}, if it is news, onto the very state of the object that it was made from. One that has changed
     * meanwhile is a conflict, and the whole reconcile is to be done again: the framework's own writer would put the same
     * status onto whatever the object has become, another leader's newer status too.
     *
     * @param smallest makes what is written instead of a status that the API server refuses, from its reason: what decides, and no
     *     word from outside
     * @return what is stored now; empty when the object has changed, or is gone: reconcile again
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
