package dev.codeforge.operator.pool;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.jetstream.Connections;
import dev.codeforge.jetstream.Files;
import dev.codeforge.jetstream.QueueRefusedException;
import dev.codeforge.jetstream.QueueUnavailableException;
import dev.codeforge.operator.time.RecheckTimer;
import java.time.Clock;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Keeps a pool's bucket for files: looked at each minute, since it may be lost. Tasks run without it too. */
final class PoolFiles {
    private static final Logger LOG = LoggerFactory.getLogger(PoolFiles.class);

    private final Connections connections;
    private final long maxBytes;
    private final String installation;
    private final RecheckTimer<Files.Settings> rechecks;
    /** By the pool's uid, what was said of its bucket last; empty when it is as wanted. */
    private final Map<String, String> problems = new ConcurrentHashMap<>();

    /** @param maxBytes what fits into the bucket of one pool */
    PoolFiles(Connections connections, long maxBytes, String installation, Clock clock) {
        this.connections = connections;
        this.maxBytes = maxBytes;
        this.installation = installation;
        this.rechecks = new RecheckTimer<>(clock);
    }

    /** What is refused is asked for again in a minute; until then workers tell in their results what was not kept. */
    void keep(WorkerPool pool) {
        final Files.Settings settings = settings(pool);
        final String uid = pool.getMetadata().getUid();
        if (rechecks.isDue(uid, settings)) {
            problems.put(uid, ensure(settings, problems.getOrDefault(uid, "")));
            rechecks.seen(uid, settings);
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

    /** Never throws for a bucket that is not there, or not ours. */
    void remove(WorkerPool pool) {
        final String namespace = pool.getMetadata().getNamespace();
        connections.files().remove(namespace, pool.getMetadata().getName(), installation);
    }

    void forget(String uid) {
        rechecks.forget(uid);
        problems.remove(uid);
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
