package dev.codeforge.operator.pool;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.jetstream.Connections;
import dev.codeforge.jetstream.FilesSettings;
import dev.codeforge.jetstream.QueueRefusedException;
import dev.codeforge.jetstream.QueueUnavailableException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Keeps a pool's bucket for files: looked at each minute, since it may be lost. Tasks run without it too. */
final class PoolFiles {
    private static final Logger LOG = LoggerFactory.getLogger(PoolFiles.class);
    private static final Duration AGAIN = Duration.ofMinutes(1);

    private final Connections connections;
    private final long maxBytes;
    private final String installation;
    private final Clock clock;
    private final Map<String, Looked> looked = new ConcurrentHashMap<>();

    /** @param problem empty when the bucket is as wanted */
    private record Looked(FilesSettings settings, Instant at, String problem) {}

    /** @param maxBytes what fits into the bucket of one pool */
    PoolFiles(Connections connections, long maxBytes, String installation, Clock clock) {
        this.connections = connections;
        this.maxBytes = maxBytes;
        this.installation = installation;
        this.clock = clock;
    }

    /** What is refused is asked for again in a minute; until then workers tell in their results what was not kept. */
    void keep(WorkerPool pool) {
        final FilesSettings settings = settings(pool);
        final String uid = pool.getMetadata().getUid();
        final Instant now = clock.instant();
        final Looked last = looked.get(uid);
        if (last != null
                && last.settings().equals(settings)
                && now.isBefore(last.at().plus(AGAIN))) {
            return;
        }
        final String before = last == null ? "" : last.problem();
        looked.put(uid, new Looked(settings, now, ensure(settings, before)));
    }

    private String ensure(FilesSettings settings, String before) {
        try {
            connections.files(settings.namespace()).ensure(settings);
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
        connections.files(namespace).remove(namespace, pool.getMetadata().getName(), installation);
    }

    void forget(String uid) {
        looked.remove(uid);
    }

    private FilesSettings settings(WorkerPool pool) {
        final Integer replicas = pool.getSpec().stream().replicas();
        return new FilesSettings(
                pool.getMetadata().getNamespace(),
                pool.getMetadata().getName(),
                maxBytes,
                replicas == null ? OptionalInt.empty() : OptionalInt.of(replicas),
                installation);
    }
}
