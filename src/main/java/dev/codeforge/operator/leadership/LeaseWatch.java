package dev.codeforge.operator.leadership;

import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Releases a lease that its holder has not renewed for the lease duration, measured by this process. The framework
 * compares the holder's renew time with the local clock: a clock that is ten minutes behind would leave the operators
 * without a leader for ten more minutes.
 */
public final class LeaseWatch implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LeaseWatch.class);
    private static final Duration LOOK = Duration.ofSeconds(2);

    private final KubernetesClient client;
    private final String namespace;
    private final String name;
    private final Duration lasts;
    private String version = "";
    private long since = System.nanoTime();
    private volatile boolean closed;

    /** @param lasts how long an unrenewed lease is valid */
    public LeaseWatch(KubernetesClient client, String namespace, String name, Duration lasts) {
        this.client = client;
        this.namespace = namespace;
        this.name = name;
        this.lasts = lasts;
    }

    /** Watches until it is closed, for example when this instance leads. */
    public void start() {
        Thread.ofVirtual().name("lease").start(() -> {
            while (!closed) {
                look();
                LockSupport.parkNanos(LOOK.toNanos());
            }
        });
    }

    private void look() {
        try {
            final Lease lease =
                    client.leases().inNamespace(namespace).withName(name).get();
            final String seen = lease == null ? "" : lease.getMetadata().getResourceVersion();
            if (!seen.equals(version)) {
                version = seen;
                since = System.nanoTime();
                return;
            }
            final String holder = lease == null ? "" : lease.getSpec().getHolderIdentity();
            if (holder != null
                    && !holder.isEmpty()
                    && !closed
                    && System.nanoTime() - since > lasts.plus(LOOK).toNanos()) {
                lease.getSpec().setHolderIdentity("");
                // The update has the version that was seen, so that a holder that has renewed in between keeps the
                // lease.
                client.resource(lease).update();
                LOG.info("the lease of {} was not renewed for {}: it is free", holder, lasts);
            }
        } catch (KubernetesClientException e) {
            // The lease could not be renewed while the API server was away, so the measurement starts again.
            since = System.nanoTime();
        }
    }

    @Override
    public void close() {
        closed = true;
    }
}
