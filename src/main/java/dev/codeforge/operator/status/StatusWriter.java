package dev.codeforge.operator.status;

import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.PrimaryUpdateAndCacheUtils;
import java.net.HttpURLConnection;
import java.util.Objects;
import java.util.function.Supplier;

/** Writes a status when it differs from the one that is there, and returns only after the API server has it. */
public final class StatusWriter {
    private StatusWriter() {}

    /** Writes {@code status}, if it is news, onto this very object: one made anew under the name is refused. */
    public static <T, R extends CustomResource<?, T>> void write(
            R resource, T status, Supplier<R> empty, Context<R> context) {
        if (Objects.equals(resource.getStatus(), status)) {
            return;
        }
        final ObjectMeta metadata = resource.getMetadata();
        final R fresh = empty.get();
        fresh.setMetadata(new ObjectMetaBuilder()
                .withName(metadata.getName())
                .withNamespace(metadata.getNamespace())
                .withUid(metadata.getUid())
                .build());
        fresh.setStatus(status);
        try {
            PrimaryUpdateAndCacheUtils.ssaPatchStatusAndCacheResource(resource, fresh, context);
        } catch (KubernetesClientException e) {
            // Deleted meanwhile: that is an event of its own, and nobody is left to read the status.
            if (e.getCode() != HttpURLConnection.HTTP_NOT_FOUND) {
                throw e;
            }
        }
    }
}
