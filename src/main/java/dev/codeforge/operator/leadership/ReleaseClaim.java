package dev.codeforge.operator.leadership;

import dev.codeforge.jetstream.CasBucket;
import dev.codeforge.jetstream.Connections;
import dev.codeforge.jetstream.QueueUnavailableException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets one release at a time work for a cluster on a NATS account: two would take each other's results from one
 * consumer and sweep each other's streams. The active release writes its name repeatedly; another one stands by while
 * it sees that name.
 */
public final class ReleaseClaim implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ReleaseClaim.class);
    private static final Duration LOOK = Duration.ofSeconds(1);
    private static final Duration CONNECT_LOOK = Duration.ofMillis(50);
    /**
     * Longest wait for the connection, which is made in the background. While NATS is away, no other release works
     * either.
     */
    private static final Duration CONNECT = Duration.ofSeconds(3);

    private final Connections connections;
    private final String installation;
    private final String release;
    private final Duration renewal;
    private final Runnable onLost;
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("release-claim").daemon().factory());
    private volatile Optional<String> problem = Optional.empty();
    private volatile boolean closed;
    private Optional<String> seen = Optional.empty();
    private long seenRevision;
    private long seenSince;

    /**
     * @param release its name, for messages
     * @param renewal how often the active release writes its name; after six times this silence another one takes over
     * @param onLost called when another release has taken over
     */
    public ReleaseClaim(
            Connections connections, String installation, String release, Duration renewal, Runnable onLost) {
        this.connections = connections;
        this.installation = installation;
        this.release = release;
        this.renewal = renewal;
        this.onLost = onLost;
    }

    /** Why this release stands by; empty when it may work. */
    public Optional<String> problem() {
        return problem;
    }

    /** Returns when this release may work, at once if no other is active, or when this object is closed. */
    public void await() {
        final long start = System.nanoTime();
        while (!closed && !connections.isConnected() && System.nanoTime() - start < CONNECT.toNanos()) {
            LockSupport.parkNanos(CONNECT_LOOK.toNanos());
        }
        look();
        while (!closed && seen.isPresent()) {
            final String said = sentence(seen.get());
            if (!problem.equals(Optional.of(said))) {
                LOG.error("the operator stands by: {}", said);
            }
            problem = Optional.of(said);
            LockSupport.parkNanos(Math.min(LOOK.toNanos(), renewal.toNanos()));
            look();
        }
        problem = Optional.empty();
    }

    private String sentence(String other) {
        return "release " + other + " works for this cluster on this NATS account, and " + release
                + " would take its results. Uninstall one of them, or give one a NATS account of its own; when the other is silent for "
                + silence().toSeconds() + " s this one follows";
    }

    private Duration silence() {
        return renewal.multipliedBy(6);
    }

    /** If NATS does not answer, the last known release stays. */
    private void look() {
        try {
            seen = other();
        } catch (QueueUnavailableException e) {
            LOG.debug("whether another release works is not known: {}", e.getMessage());
        }
    }

    private Optional<String> other() {
        final CasBucket<String> releases = connections.releases();
        releases.ensure();
        final Optional<CasBucket.Entry<String>> entry = releases.read(installation);
        if (entry.isPresent() && (entry.get().record().equals(release) || !isSilent(entry.get()))) {
            return othersIn(entry);
        }
        final boolean ours = releases.write(
                        installation,
                        release,
                        entry.map(CasBucket.Entry::revision).orElse(0L))
                .isPresent();
        return ours ? Optional.empty() : othersIn(releases.read(installation));
    }

    private Optional<String> othersIn(Optional<CasBucket.Entry<String>> entry) {
        return entry.map(CasBucket.Entry::record).filter(name -> !name.equals(release));
    }

    /** Measured by this process's clock only, because clocks of two machines may differ. */
    private boolean isSilent(CasBucket.Entry<String> entry) {
        if (entry.revision() != seenRevision) {
            seenRevision = entry.revision();
            seenSince = System.nanoTime();
        }
        return System.nanoTime() - seenSince > silence().toNanos();
    }

    /** From now on writes this release's name regularly, and after each reconnect. */
    public void keep() {
        timer.scheduleWithFixedDelay(this::renew, 0, renewal.toMillis(), TimeUnit.MILLISECONDS);
        connections.onConnect(() -> {
            if (!closed) {
                timer.execute(this::renew);
            }
        });
    }

    private void renew() {
        try {
            final CasBucket<String> releases = connections.releases();
            releases.ensure();
            final Optional<CasBucket.Entry<String>> entry = releases.read(installation);
            if (entry.isPresent() && !entry.get().record().equals(release)) {
                LOG.error("the operator ends: {}", sentence(entry.get().record()));
                onLost.run();
            } else {
                releases.write(
                        installation,
                        release,
                        entry.map(CasBucket.Entry::revision).orElse(0L));
            }
        } catch (QueueUnavailableException e) {
            LOG.debug("the release claim is renewed later: {}", e.getMessage());
        } catch (RuntimeException e) {
            // The timer drops a task that throws.
            LOG.error("the release claim could not be renewed and is retried", e);
        }
    }

    @Override
    public void close() {
        closed = true;
        timer.shutdownNow();
    }
}
