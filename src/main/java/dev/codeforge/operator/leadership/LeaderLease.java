package dev.codeforge.operator.leadership;

import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The lease of leader election. The framework only lets it expire, which takes 15 s. */
public final class LeaderLease {
    private static final Logger LOG = LoggerFactory.getLogger(LeaderLease.class);

    private LeaderLease() {}

    /**
     * Releases the lease, so that another instance leads at its next try, within 2 s. Call this when no work is under
     * way.
     */
    public static void release(KubernetesClient client, String namespace, String name, String holder) {
        try {
            final Lease lease =
                    client.leases().inNamespace(namespace).withName(name).get();
            if (lease != null && holder.equals(lease.getSpec().getHolderIdentity())) {
                lease.getSpec().setHolderIdentity("");
                // The update has the resourceVersion, so that a new leader keeps its lease.
                client.resource(lease).update();
            }
        } catch (KubernetesClientException e) {
            LOG.warn("the lease is left to expire, it could not be released: {}", e.getMessage());
        }
    }
}
