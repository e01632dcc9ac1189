package dev.codeforge.operator.pool;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.jetstream.Connections;
import dev.codeforge.jetstream.QueueUnavailableException;
import dev.codeforge.operator.time.RecheckTimer;
import java.time.Clock;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Keeps {@code workerConfig} where running workers read it; a change at once, else each minute, since a bucket may be lost. */
final class WorkerConfigPublisher {
    private static final Logger LOG = LoggerFactory.getLogger(WorkerConfigPublisher.class);

    private final Connections connections;
    private final Clock clock;

    WorkerConfigPublisher(Connections connections, Clock clock) {
        this.connections = connections;
        this.clock = clock;
    }

    /** What cannot be stored now is stored by a later look: that NATS is away, the queue's condition says. */
    void keep(WorkerPool pool, RecheckTimer<Map<String, String>> rechecks) {
        final Map<String, String> settings = pool.getSpec().workerConfig();
        if (!rechecks.isDue(settings, clock.instant())) {
            return;
        }
        final String namespace = pool.getMetadata().getNamespace();
        final String name = pool.getMetadata().getName();
        try {
            connections.configs().keep(namespace, name, settings);
            rechecks.seen(settings, clock.instant());
        } catch (QueueUnavailableException e) {
            LOG.debug("workerConfig of {}/{} is stored later: {}", namespace, name, e.getMessage());
        }
    }

    /** A pool that is gone leaves nothing to one of the same name. */
    void remove(WorkerPool pool) {
        final String namespace = pool.getMetadata().getNamespace();
        connections.configs().keep(namespace, pool.getMetadata().getName(), Map.of());
    }
}
