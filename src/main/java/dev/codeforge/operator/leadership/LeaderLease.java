package dev.codeforge.operator.leadership;

import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The lease of leader election. The framework gives it up by letting it expire, which takes 15 s. */
public final class LeaderLease {
    private static final Logger LOG = LoggerFactory.getLogger(LeaderLease.class);

    private LeaderLease() {}

    /** Lets another one lead at its next try, within 2 s. Call it when nothing is under way any more. */
    public static void release(KubernetesClient client, String namespace, String name, String holder) {
        try {
            final Lease lease =
                    client.leases().inNamespace(namespace).withName(name).get();
            if (lease != null && holder.equals(lease.getSpec().getHolderIdentity())) {
                lease.getSpec().setHolderIdentity("");
                // With its resource version: whoever leads by now keeps it.
                client.resource(lease).update();
            }
        } catch (KubernetesClientException e) {
            LOG.warn("the lease is left to expire, it could not be released: {}", e.getMessage());
        }
    }
}
