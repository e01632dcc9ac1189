package dev.codeforge.operator.task;

import dev.codeforge.api.AgentTask;
import dev.codeforge.jetstream.Connections;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;

/** Tasks that could not be reconciled because NATS was away. Each is triggered once when NATS is connected again. */
final class NatsOutage {
    /** Base of the jittered delay while NATS is connected but does not answer, as a stream without a leader. */
    private static final Duration UNANSWERED = Duration.ofSeconds(2);

    /** Base of the jittered delay without a connection. */
    private static final Duration AWAY = Duration.ofSeconds(30);

    private final Connections connections;
    private final Consumer<ResourceID> trigger;
    private final Set<ResourceID> waiting = ConcurrentHashMap.newKeySet();

    NatsOutage(Connections connections, Consumer<ResourceID> trigger) {
        this.connections = connections;
        this.trigger = trigger;
        connections.onConnect(this::end);
    }

    /** How long to wait if no event triggers the task before. */
    Duration retryAfter(AgentTask task) {
        final ResourceID id = ResourceID.fromResource(task);
        // Add the task before asking for the connection: NATS may reconnect in between.
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
