package dev.codeforge.operator.scaling;

import io.javaoperatorsdk.operator.processing.event.ResourceID;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * The pools that must be reconciled because a task was queued. The status writes of a burst wait for them: they would otherwise delay, at
 * the API server, the one write that starts the workers.
 */
public final class ScaleUpBarrier {
    /** A status is not held back for longer: a pool whose queue never rests has no end to wait for. */
    private static final Duration PATIENCE = Duration.ofMillis(250);

    private final Map<ResourceID, Wanted> open = new ConcurrentHashMap<>();
    private final Duration patience;

    /** @param times that a reconcile was requested since the pool was at rest */
    private record Wanted(CompletableFuture<Void> rest, long times) {}

    public ScaleUpBarrier() {
        this(PATIENCE);
    }

    ScaleUpBarrier(Duration patience) {
        this.patience = patience;
    }

    /** Call it before the pool is triggered. */
    public void want(ResourceID pool) {
        open.compute(
                pool,
                (key, wanted) -> wanted == null
                        ? new Wanted(new CompletableFuture<>(), 1)
                        : new Wanted(wanted.rest(), wanted.times() + 1));
    }

    /** Returns when no reconcile of the pool is pending, or when the patience is over. */
    public void awaitRest(ResourceID pool) {
        final Optional<Wanted> wanted = Optional.ofNullable(open.get(pool));
        try {
            if (wanted.isPresent()) {
                wanted.get().rest().get(patience.toMillis(), TimeUnit.MILLISECONDS);
            }
        } catch (TimeoutException | ExecutionException e) {
            // Long enough.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** A reconcile begins. @return to be run at its end, also when it has failed: a request in between needs another reconcile */
    public Runnable begin(ResourceID pool) {
        final Optional<Wanted> seen = Optional.ofNullable(open.get(pool));
        return () -> seen.filter(wanted -> open.remove(pool, wanted))
                .ifPresent(wanted -> wanted.rest().complete(null));
    }
}
