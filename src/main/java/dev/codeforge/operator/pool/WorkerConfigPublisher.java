package dev.codeforge.operator.pool;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.jetstream.Connections;
import dev.codeforge.jetstream.QueueUnavailableException;
import dev.codeforge.operator.time.RecheckTimer;
import java.time.Clock;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Writes {@code workerConfig} to the bucket that running workers read: a change at once, otherwise each minute, since the bucket may be lost. */
final class WorkerConfigPublisher {
    private static final Logger LOG = LoggerFactory.getLogger(WorkerConfigPublisher.class);

    private final Connections connections;
    private final Clock clock;

    WorkerConfigPublisher(Connections connections, Clock clock) {
        this.connections = connections;
        this.clock = clock;
    }

    /** What cannot be stored now is stored by a later reconcile; the queue's condition says that NATS is away. */
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

    /** A later pool of the same name must not inherit the settings. */
    void remove(WorkerPool pool) {
        final String namespace = pool.getMetadata().getNamespace();
        connections.configs().keep(namespace, pool.getMetadata().getName(), Map.of());
    }
}
