package dev.codeforge.operator.task;

import dev.codeforge.api.AgentTask;
import dev.codeforge.jetstream.Connections;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;

/** The tasks that could not be reconciled because NATS is away: when it is connected again, each is triggered once. */
final class NatsOutage {
    /** Between this and twice this, so that not all come at once: connected, but a stream has no leader. */
    private static final Duration UNANSWERED = Duration.ofSeconds(2);

    /** Likewise, without a connection. */
    private static final Duration AWAY = Duration.ofSeconds(30);

    private final Connections connections;
    private final Consumer<ResourceID> trigger;
    private final Set<ResourceID> waiting = ConcurrentHashMap.newKeySet();

    NatsOutage(Connections connections, Consumer<ResourceID> trigger) {
        this.connections = connections;
        this.trigger = trigger;
        connections.onConnect(this::end);
    }

    /** How long to wait where nothing else triggers the task. */
    Duration retryAfter(AgentTask task) {
        final ResourceID id = ResourceID.fromResource(task);
        // In this order: NATS may be back just now.
        waiting.add(id);
        final boolean connected = connections.isConnected();
        if (connected) {
            waiting.remove(id);
        }
        final Duration least = connected ? UNANSWERED : AWAY;
        return least.plusMillis(ThreadLocalRandom.current().nextLong(least.toMillis()));
    }

    private void end() {
        for (final ResourceID id : waiting) {
            if (waiting.remove(id)) {
                trigger.accept(id);
            }
        }
    }
}
