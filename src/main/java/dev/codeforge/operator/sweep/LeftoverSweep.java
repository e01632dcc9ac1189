package dev.codeforge.operator.sweep;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.jetstream.Connections;
import dev.codeforge.jetstream.PoolStreams.PoolStream;
import dev.codeforge.operator.index.PoolIndex;
import dev.codeforge.operator.index.TaskIndex;
import dev.codeforge.wire.Subjects;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Deletes streams, buckets and workers' Secrets of pools that are gone: a pool's finalizer is released at a deadline, also while NATS is
 * away, and nothing else removes them then. The sweep deletes only what this installation has made, in the namespaces that it serves,
 * unless the pool's deletion policy is Retain, and only after the pool has been missing for ten minutes and a read from the API server
 * confirms that.
 */
public final class LeftoverSweep implements Sweep {
    private static final Logger LOG = LoggerFactory.getLogger(LeftoverSweep.class);
    /** A GitOps tool that deletes and recreates all resources has recreated the pool within this time. */
    static final Duration PATIENCE = Duration.ofMinutes(10);

    /** The sweep lists all streams of the account, and leftovers may wait. */
    private static final Duration BETWEEN = Duration.ofMinutes(1);

    private static final String POOL_DELETED = "PoolDeleted";
    /** Suffix of the names of a pool's Deployment and Secret, after the pool's name. */
    private static final String WORKERS = "-workers";

    private final TaskIndex tasks;
    private final PoolIndex pools;
    private final KubernetesClient client;
    private final Connections connections;
    private final String installation;
    private final Set<String> namespaces;
    private final Clock clock;
    private final Map<String, Instant> missingSince = new HashMap<>();
    private Instant next = Instant.MIN;

    /** @param namespaces that are served; empty for all */
    public LeftoverSweep(
            TaskIndex tasks,
            PoolIndex pools,
            KubernetesClient client,
            Connections connections,
            String installation,
            Set<String> namespaces,
            Clock clock) {
        this.tasks = tasks;
        this.pools = pools;
        this.client = client;
        this.connections = connections;
        this.installation = installation;
        this.namespaces = Set.copyOf(namespaces);
        this.clock = clock;
    }

    @Override
    public void run() {
        final Instant now = clock.instant();
        if (now.isBefore(next)) {
            return;
        }
        next = now.plus(BETWEEN);
        final Set<String> there = pools.list()
                .map(pool -> key(
                        pool.getMetadata().getNamespace(), pool.getMetadata().getName()))
                .collect(Collectors.toSet());
        final List<PoolStream> leftover = connections.poolStreams().of(installation).stream()
                .filter(stream -> !stream.owner().retained())
                .filter(stream -> namespaces.isEmpty() || namespaces.contains(stream.namespace()))
                .filter(stream -> !there.contains(key(stream.namespace(), stream.pool())))
                .toList();
        missingSince.keySet().retainAll(leftover.stream().map(PoolStream::name).toList());
        leftover.stream()
                .filter(stream -> !now.isBefore(
                        missingSince.computeIfAbsent(stream.name(), name -> now).plus(PATIENCE)))
                .forEach(this::removeIfGone);
    }

    private static String key(String namespace, String pool) {
        return namespace + "/" + pool;
    }

    private void removeIfGone(PoolStream stream) {
        try {
            final boolean gone = client.resources(WorkerPool.class)
                            .inNamespace(stream.namespace())
                            .withName(stream.pool())
                            .get()
                    == null;
            if (gone && !isWaitedFor(stream)) {
                remove(stream);
            }
        } catch (KubernetesClientException e) {
            LOG.debug("whether {} has a pool is not known: {}", stream.name(), e.getMessage());
        }
    }

    /** True if unfinished tasks with a message here wait for a pool of the name: that pool must not run them again. */
    private boolean isWaitedFor(PoolStream stream) {
        return stream.isQueue()
                && connections.queue().standingSubjects(stream.name()).stream()
                        .flatMap(subject -> tasks.byUid(Subjects.taskIdOfMessage(subject)).stream())
                        .anyMatch(task -> !task.isFinished());
    }

    private void remove(PoolStream stream) {
        if (stream.isQueue()) {
            final int buried = connections
                    .deadLetters()
                    .buryAll(
                            stream.namespace(),
                            stream.pool(),
                            stream.name(),
                            POOL_DELETED,
                            "WorkerPool " + stream.pool() + " is gone");
            connections.configs().keep(stream.namespace(), stream.pool(), Map.of());
            client.secrets()
                    .inNamespace(stream.namespace())
                    .withName(stream.pool() + WORKERS)
                    .delete();
            LOG.info("{} is deleted: its pool is gone; {} messages are in the dead letters", stream.name(), buried);
        }
        connections.poolStreams().delete(stream);
    }
}
