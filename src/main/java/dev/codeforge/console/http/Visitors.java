package dev.codeforge.console.http;

import dev.codeforge.console.hub.Client;
import dev.codeforge.console.hub.Closing;
import dev.codeforge.console.hub.Hub;
import dev.codeforge.console.hub.Outlet;
import dev.codeforge.console.hub.Request;
import dev.codeforge.console.identity.Callers;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** All connected callers. Limits the connections of each user, and reviews the rights of each caller. */
final class Visitors implements AutoCloseable {
    private static final int REVIEWS_AT_ONCE = 8;

    private final Hub hub;
    private final Callers callers;
    private final Set<String> namespaces;
    private final int connectionsOfOne;
    private final Set<Visitor> all = ConcurrentHashMap.newKeySet();
    private final Map<String, Integer> connections = new HashMap<>();
    private final ScheduledExecutorService reviews = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("live-reviews").daemon().factory());

    Visitors(Hub hub, Callers callers, Set<String> namespaces, int connectionsOfOne) {
        this.hub = hub;
        this.callers = callers;
        this.namespaces = namespaces;
        this.connectionsOfOne = connectionsOfOne;
        final long period = callers.freshness().toMillis();
        reviews.scheduleWithFixedDelay(this::review, period, period, TimeUnit.MILLISECONDS);
    }

    /** Either the visitor, or the reason of the refusal. */
    record Entrance(Optional<Visitor> visitor, Closing refusal) {
        private static Entrance refused(Closing why) {
            return new Entrance(Optional.empty(), why);
        }
    }

    /** May throw {@link Callers.UnansweredException}. */
    Entrance enter(String token, Outlet outlet) {
        final Optional<String> user = callers.user(token);
        if (user.isEmpty()) {
            return Entrance.refused(Closing.SIGN_IN);
        }
        if (!take(user.get())) {
            return Entrance.refused(Closing.TOO_MANY);
        }
        final Client client = hub.connect(outlet);
        final Visitor visitor = new Visitor(hub, callers, namespaces, client, token, user.get());
        all.add(visitor);
        return new Entrance(Optional.of(visitor), Closing.SIGN_IN);
    }

    /** The HTTP answer that refuses a stream; empty when the stream may start. */
    Optional<ProblemException> problem(String token, Request request) {
        final Optional<String> user = callers.user(token);
        if (user.isEmpty()) {
            return Optional.of(new ProblemException(401, "Unauthorized", Closing.SIGN_IN.sentence()));
        }
        if (isFull(user.get())) {
            return Optional.of(new ProblemException(429, "TooManyRequests", Closing.TOO_MANY.sentence()));
        }
        return Denial.of(callers, namespaces, token, user.get(), request).map(Denial::problem);
    }

    private synchronized boolean isFull(String user) {
        return connections.getOrDefault(user, 0) >= connectionsOfOne;
    }

    void leave(Visitor visitor) {
        if (all.remove(visitor)) {
            give(visitor.user());
            // A connection may end within a send, on a thread that holds locks, so this must not block.
            Thread.startVirtualThread(() -> hub.disconnect(visitor.client()));
        }
    }

    private synchronized boolean take(String user) {
        if (isFull(user)) {
            return false;
        }
        connections.merge(user, 1, Integer::sum);
        return true;
    }

    private synchronized void give(String user) {
        connections.computeIfPresent(user, (name, open) -> open == 1 ? null : open - 1);
    }

    /** Runs in parallel, so that a thousand tokens are reviewed within {@link Callers#freshness}. */
    private void review() {
        try (ExecutorService asking =
                Executors.newFixedThreadPool(REVIEWS_AT_ONCE, Thread.ofVirtual().factory())) {
            all.forEach(visitor -> asking.execute(() -> {
                try {
                    visitor.review();
                } catch (RuntimeException e) {
                    LiveServer.LOG.warn("the rights of {} were not asked for again", visitor.user(), e);
                }
            }));
        }
    }

    /** Waits until all clients that still read have received the close frame. */
    void awaitNone(Duration most) {
        final long end = System.nanoTime() + most.toNanos();
        try {
            while (!all.isEmpty() && System.nanoTime() < end) {
                Thread.sleep(20);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        reviews.shutdownNow();
    }
}
