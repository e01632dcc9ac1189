package dev.codeforge.operator.leadership;

import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Frees a lease that its holder has not renewed for as long as it lasts, by this process's own measure. The framework compares
 * the time that the holder wrote with its own clock: behind that by ten minutes, it would leave the operators without a leader
 * for ten minutes more.
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

    /** @param lasts how long a lease holds that is not renewed */
    public LeaseWatch(KubernetesClient client, String namespace, String name, Duration lasts) {
        this.client = client;
        this.namespace = namespace;
        this.name = name;
        this.lasts = lasts;
    }

    /** Watches until it is closed, as by whoever leads from now on. */
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
                // With the version that was seen: who has renewed it meanwhile keeps it.
                client.resource(lease).update();
                LOG.info("the lease of {} was not renewed for {}: it is free", holder, lasts);
            }
        } catch (KubernetesClientException e) {
            // Nobody could renew it meanwhile, whoever leads.
            since = System.nanoTime();
        }
    }

    @Override
    public void close() {
        closed = true;
    }
}
