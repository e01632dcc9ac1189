package dev.codeforge.operator.leadership;

import dev.codeforge.jetstream.Connections;
import dev.codeforge.operator.settings.OperatorSettings;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.extended.leaderelection.LeaderCallbacks;
import io.javaoperatorsdk.operator.api.config.LeaderElectionConfiguration;
import io.javaoperatorsdk.operator.api.config.LeaderElectionConfigurationBuilder;
import java.time.Duration;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which operator works: one release among those on a NATS account, by its claim, and one instance of that release, by the lease. One that
 * does not work any more ends its process, with all that it has under way.
 */
public final class Leadership implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Leadership.class);
    private static final String LEASE = "codeforge-operator";
    private static final Duration LEASE_LASTS = Duration.ofSeconds(15);
    private static final int LEASE_LOST = 1;
    /** How often the release writes to NATS that it works. */
    private static final Duration CLAIM = Duration.ofSeconds(30);

    private final OperatorSettings settings;
    private final KubernetesClient client;
    private final ReleaseClaim claim;
    private final LeaseWatch leaseWatch;
    private final Runnable lead;
    private volatile boolean closed;

    /** @param lead starts what the leader alone does */
    public Leadership(
            OperatorSettings settings,
            KubernetesClient client,
            Connections connections,
            String installation,
            Runnable lead) {
        this.settings = settings;
        this.client = client;
        this.lead = lead;
        this.claim = new ReleaseClaim(
                connections, installation, settings.namespace() + "/" + settings.release(), CLAIM, this::end);
        this.leaseWatch = new LeaseWatch(client, settings.namespace(), LEASE, LEASE_LASTS);
    }

    /** For the framework; empty when there is one instance and no lease. */
    public Optional<LeaderElectionConfiguration> configuration() {
        return settings.leaderElection()
                ? Optional.of(LeaderElectionConfigurationBuilder.aLeaderElectionConfiguration(LEASE)
                        .withLeaseNamespace(settings.namespace())
                        .withIdentity(settings.podName())
                        .withLeaseDuration(LEASE_LASTS)
                        .withRenewDeadline(Duration.ofSeconds(10))
                        .withRetryPeriod(Duration.ofSeconds(2))
                        .withLeaderCallbacks(new LeaderCallbacks(this::begin, this::lost, leader -> {}))
                        // The framework would end a stop that was asked for by System.exit, which waits for the
                        // shutdown
                        // hook that asks.
                        .withExitOnStopLeading(false)
                        .build())
                : Optional.empty();
    }

    /** Returns true when this release may work, and false when it was closed before that. */
    public boolean await() {
        claim.await();
        return !closed;
    }

    /** The caches are filled. */
    public void start() {
        if (settings.leaderElection()) {
            leaseWatch.start();
        } else {
            begin();
        }
    }

    private void begin() {
        claim.keep();
        leaseWatch.close();
        lead.run();
    }

    /** Another instance may lead by now. */
    private void lost() {
        if (!closed) {
            LOG.error("the lease is lost: the operator ends, and stands by when it is started again");
            end();
        }
    }

    private void end() {
        if (!closed) {
            Thread.ofPlatform().start(() -> System.exit(LEASE_LOST));
        }
    }

    /** Why this release does not work; empty when it may. */
    public Optional<String> problem() {
        return claim.problem();
    }

    /** This instance stops; it has the lease until {@link #release}. */
    @Override
    public void close() {
        closed = true;
        claim.close();
        leaseWatch.close();
    }

    /** No reconcile is under way any more: the next leader may begin at once. */
    public void release() {
        if (settings.leaderElection()) {
            LeaderLease.release(client, settings.namespace(), LEASE, settings.podName());
        }
    }
}
