package dev.codeforge.operator.pool;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.jetstream.Connections;
import dev.codeforge.jetstream.Files;
import dev.codeforge.jetstream.QueueRefusedException;
import dev.codeforge.jetstream.QueueUnavailableException;
import dev.codeforge.operator.time.RecheckTimer;
import java.time.Clock;
import java.util.OptionalInt;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Keeps a pool's bucket for files: checked each minute, since it may be lost. Tasks also run without it. */
final class PoolFiles {
    private static final Logger LOG = LoggerFactory.getLogger(PoolFiles.class);

    private final Connections connections;
    private final long maxBytes;
    private final String installation;
    private final Clock clock;

    /** @param maxBytes what fits into the bucket of one pool */
    PoolFiles(Connections connections, long maxBytes, String installation, Clock clock) {
        this.connections = connections;
        this.maxBytes = maxBytes;
        this.installation = installation;
        this.clock = clock;
    }

    /** The state kept for one pool's bucket. */
    static final class Memory {
        private final RecheckTimer<Files.Settings> rechecks = new RecheckTimer<>();
        /** The bucket's last problem; empty without one. */
        private String problem = "";
    }

    /** A refused bucket is requested again after a minute; until then the workers' results say which files were not kept. */
    void keep(WorkerPool pool, Memory memory) {
        final Files.Settings settings = settings(pool);
        if (memory.rechecks.isDue(settings, clock.instant())) {
            memory.problem = ensure(settings, memory.problem);
            memory.rechecks.seen(settings, clock.instant());
        }
    }

    private String ensure(Files.Settings settings, String before) {
        try {
            connections.files().ensure(settings);
            return "";
        } catch (QueueRefusedException | QueueUnavailableException e) {
            if (!e.getMessage().equals(before)) {
                LOG.warn(
                        "files of {}/{} cannot be kept: {}; lower files.sizePerPool of the chart, or give NATS more storage",
                        settings.namespace(),
                        settings.pool(),
                        e.getMessage());
            }
            return e.getMessage();
        }
    }

    /** Never throws for a bucket that is missing, or of another installation. */
    void remove(WorkerPool pool) {
        final String namespace = pool.getMetadata().getNamespace();
        connections.files().remove(namespace, pool.getMetadata().getName(), installation);
    }

    private Files.Settings settings(WorkerPool pool) {
        final Integer replicas = pool.getSpec().queue().replicas();
        return new Files.Settings(
                pool.getMetadata().getNamespace(),
                pool.getMetadata().getName(),
                maxBytes,
                replicas == null ? OptionalInt.empty() : OptionalInt.of(replicas),
                QueueKeeper.owner(pool, installation));
    }
}
