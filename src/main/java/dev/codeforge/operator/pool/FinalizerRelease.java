package dev.codeforge.operator.pool;

import dev.codeforge.api.WorkerPool;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/** Removes the finalizer from the pools of this operator, so that an uninstalled operator blocks no namespace. Workers and streams stay. */
public final class FinalizerRelease {
    private static final long STOP_SECONDS = 60;
    private final KubernetesClient client;

    public FinalizerRelease(KubernetesClient client) {
        this.client = client;
    }

    /** Stops the operator and waits until its pods are gone: a running operator adds the finalizers again. */
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
                .informOnCondition(List::isEmpty)
                .orTimeout(STOP_SECONDS, TimeUnit.SECONDS)
                .join();
    }

    /**
     * Pools of other namespaces belong to another operator: their finalizers stay.
     *
     * @param namespaces of the pools; empty for all
     * @return how many pools had it
     */
    public int release(Set<String> namespaces) {
        int released = 0;
        for (final WorkerPool pool : pools(namespaces)) {
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

    private List<WorkerPool> pools(Set<String> namespaces) {
        final var pools = client.resources(WorkerPool.class);
        return namespaces.isEmpty()
                ? pools.inAnyNamespace().list().getItems()
                : namespaces.stream()
                        .flatMap(namespace -> pools.inNamespace(namespace).list().getItems().stream())
                        .toList();
    }
}
