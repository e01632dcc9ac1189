package dev.codeforge.operator.pool;

import dev.codeforge.api.WorkerPool;
import io.fabric8.kubernetes.client.KubernetesClient;

/** Takes our finalizer off every pool, so that an uninstalled operator hangs no namespace. Workers and streams stay. */
public final class FinalizerRelease {
    private FinalizerRelease() {}

    /** @return how many pools had it */
    public static int all(KubernetesClient client) {
        int released = 0;
        for (final WorkerPool pool :
                client.resources(WorkerPool.class).inAnyNamespace().list().getItems()) {
            if (pool.hasFinalizer(WorkerPoolReconciler.FINALIZER)) {
                client.resource(pool).edit(current -> {
                    current.removeFinalizer(WorkerPoolReconciler.FINALIZER);
                    return current;
                });
                released++;
            }
        }
        return released;
    }
}
