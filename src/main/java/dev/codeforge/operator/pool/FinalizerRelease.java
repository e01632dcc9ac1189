package dev.codeforge.operator.pool;

import dev.codeforge.api.WorkerPool;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** Takes our finalizer off every pool, so that an uninstalled operator hangs no namespace. Workers and streams stay. */
public final class FinalizerRelease {
    private static final long STOP_SECONDS = 60;
    private final KubernetesClient client;

    public FinalizerRelease(KubernetesClient client) {
        this.client = client;
    }

    /** Stops the operator and waits until its pods are gone: a running one puts every finalizer back. */
    public void stopOperator(String namespace, String deployment) {
        final var running = client.apps().deployments().inNamespace(namespace).withName(deployment);
        final Optional<Deployment> found = Optional.ofNullable(running.get());
        if (found.isEmpty()) {
            return;
        }
        running.scale(0);
        client.pods()
                .inNamespace(namespace)
                .withLabels(found.get().getSpec().getSelector().getMatchLabels())
                .informOnCondition(java.util.List::isEmpty)
                .orTimeout(STOP_SECONDS, TimeUnit.SECONDS)
                .join();
    }

    /** @return how many pools had it */
    public int all() {
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
