package dev.codeforge.operator.pool;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.api.WorkerPoolSpec;
import dev.codeforge.jetstream.Connections;
import dev.codeforge.jetstream.QueueRefusedException;
import dev.codeforge.jetstream.QueueSample;
import dev.codeforge.jetstream.QueueSettings;
import dev.codeforge.jetstream.QueueUnavailableException;
import dev.codeforge.jetstream.SubjectTakenException;
import dev.codeforge.operator.status.Reason;
import dev.codeforge.wire.Subjects;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/** Keeps a pool's stream and consumer as its spec wants them, and tells in the status' words how they are. */
final class QueueKeeper {
    private static final int LEAST_ACK_PENDING = 1000;

    private final Connections connections;
    private final String subjectTemplate;
    private final String installation;
    private final Clock clock;

    QueueKeeper(Connections connections, String subjectTemplate, String installation, Clock clock) {
        this.connections = connections;
        this.subjectTemplate = subjectTemplate;
        this.installation = installation;
        this.clock = clock;
    }

    static int maxAckPending(WorkerPoolSpec spec) {
        return Math.max(LEAST_ACK_PENDING, spec.maxWorkers() * spec.tasksPerWorker());
    }

    String subject(WorkerPool pool) {
        final String own = pool.getSpec().subject();
        return own != null
                ? own
                : subjectTemplate
                        .replace("{backend}", pool.getSpec().backend())
                        .replace("{namespace}", pool.getMetadata().getNamespace())
                        .replace("{pool}", pool.getMetadata().getName());
    }

    String stream(WorkerPool pool) {
        return Subjects.poolStream(
                pool.getMetadata().getNamespace(), pool.getMetadata().getName());
    }

    /** Another installation on the same account may have a stream of this name: that one is not ours to delete. */
    boolean owns(WorkerPool pool) {
        return connections.queue(pool.getMetadata().getNamespace()).owns(stream(pool), installation);
    }

    QueueState ensure(WorkerPool pool) {
        final String namespace = pool.getMetadata().getNamespace();
        final Optional<String> problem = connections.results(namespace).problem();
        if (problem.isPresent()) {
            // A task whose outcome cannot be kept must not be run.
            return new QueueState.Broken(
                    Reason.QueueUnavailable, problem.get() + ". " + Reason.QueueUnavailable.sentence());
        }
        try {
            final QueueSample sample = connections.queue(namespace).ensure(settings(pool));
            return new QueueState.Ready(
                    sample,
                    connections
                            .deadLetters(namespace)
                            .count(namespace, pool.getMetadata().getName()));
        } catch (SubjectTakenException e) {
            return new QueueState.Broken(Reason.SubjectTaken, e.getMessage() + ". " + Reason.SubjectTaken.remedy());
        } catch (QueueRefusedException e) {
            return new QueueState.Broken(Reason.QueueRefused, e.getMessage() + ". " + Reason.QueueRefused.remedy());
        } catch (QueueUnavailableException e) {
            return new QueueState.Broken(
                    Reason.QueueUnavailable, e.getMessage() + ". " + Reason.QueueUnavailable.sentence());
        }
    }

    private QueueSettings settings(WorkerPool pool) {
        final WorkerPoolSpec spec = pool.getSpec();
        final WorkerPoolSpec.StreamSettings stream = spec.stream();
        return new QueueSettings(
                stream(pool),
                subject(pool),
                stream.storage() == WorkerPoolSpec.Storage.memory,
                stream.replicas() == null ? OptionalInt.empty() : OptionalInt.of(stream.replicas()),
                stream.maxMessages() == null ? OptionalLong.empty() : OptionalLong.of(stream.maxMessages()),
                stream.maxBytes() == null ? OptionalLong.empty() : OptionalLong.of(stream.maxBytes()),
                Duration.ofSeconds(spec.heartbeatTimeoutSeconds()),
                maxAckPending(spec),
                spec.suspend() || isOver(pool),
                installation);
    }

    /** A pool that is about to be removed hands out nothing more; one that is retained keeps its queue as it is. */
    private boolean isOver(WorkerPool pool) {
        return pool.isTerminating()
                && pool.getSpec().deletionPolicy() != WorkerPoolSpec.DeletionPolicy.Retain
                && !clock.instant().isBefore(PoolDeletion.drainsUntil(pool));
    }
}
