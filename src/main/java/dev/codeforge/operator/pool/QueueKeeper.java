package dev.codeforge.operator.pool;

import dev.codeforge.api.QueueSpec;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.api.WorkerPoolSpec;
import dev.codeforge.jetstream.Connections;
import dev.codeforge.jetstream.QueueRefusedException;
import dev.codeforge.jetstream.QueueUnavailableException;
import dev.codeforge.jetstream.StreamOwner;
import dev.codeforge.jetstream.TaskQueue;
import dev.codeforge.jetstream.TaskQueue.SubjectTakenException;
import dev.codeforge.operator.pool.access.AccessRefusal;
import dev.codeforge.operator.pool.access.WorkerAccess;
import dev.codeforge.operator.status.Reason;
import dev.codeforge.wire.Subjects;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.function.Supplier;

/** Observes a pool's stream and consumer by reads, and creates or corrects them when that is planned. */
final class QueueKeeper {
    private static final int LEAST_ACK_PENDING = 1000;

    /** Shorter than a tick: each tick reads everything. */
    private static final Duration KEPT = Duration.ofMillis(1900);

    private final Connections connections;
    private final WorkerAccess access;
    private final SubjectTemplate subjects;
    private final String installation;
    private final Clock clock;

    /** At that time the queue was as these settings want it, paused or not, with so many dead letters. */
    private record Kept(TaskQueue.Settings settings, Instant at, long deadLetters) {}

    /** What is remembered of one pool's queue. */
    static final class Memory {
        private Optional<Kept> kept = Optional.empty();
    }

    QueueKeeper(
            Connections connections, WorkerAccess access, String subjectTemplate, String installation, Clock clock) {
        this.connections = connections;
        this.access = access;
        this.subjects = new SubjectTemplate(subjectTemplate);
        this.installation = installation;
        this.clock = clock;
    }

    static int maxAckPending(WorkerPoolSpec spec) {
        return Math.max(LEAST_ACK_PENDING, spec.maxWorkers() * spec.tasksPerWorker());
    }

    String subject(WorkerPool pool) {
        return subjects.subject(pool);
    }

    String stream(WorkerPool pool) {
        return Subjects.poolStream(
                pool.getMetadata().getNamespace(), pool.getMetadata().getName());
    }

    /** Another installation on the same account may have a stream of this name: it must not be deleted. */
    boolean owns(WorkerPool pool) {
        return connections.queue().owns(stream(pool), installation);
    }

    /**
     * Reads only. Of a pool that scales by its queue, only the counts are read when everything was read just before: three
     * requests take too long for a worker that is needed at once.
     */
    QueueState look(WorkerPool pool, Memory memory) {
        final String namespace = pool.getMetadata().getNamespace();
        if (!subjects.allows(pool)) {
            return new QueueState.Broken(
                    Reason.SubjectReserved,
                    "namespace " + namespace + " may not have the subject " + subject(pool) + ". "
                            + Reason.SubjectReserved.remedy());
        }
        final Optional<AccessRefusal> refusal = access.refusal(pool);
        if (refusal.isPresent()) {
            return new QueueState.Broken(refusal.get().reason(), refusal.get().message());
        }
        final Optional<String> problem = connections.results().problem();
        if (problem.isPresent()) {
            // A task whose outcome cannot be kept must not run.
            return new QueueState.Broken(
                    Reason.QueueUnavailable, problem.get() + ". " + Reason.QueueUnavailable.sentence());
        }
        return orBroken(() -> sample(pool, memory).orElseGet(() -> inspect(pool, memory)));
    }

    private Optional<QueueState> sample(WorkerPool pool, Memory memory) {
        return memory.kept
                .filter(last -> pool.getSpec().scaling() != null
                        && clock.instant().isBefore(last.at().plus(KEPT))
                        && last.settings().equals(settings(pool, false)))
                .flatMap(last -> connections
                        .queue()
                        .sample(stream(pool))
                        .map(sample -> new QueueState.Ready(sample, last.deadLetters())));
    }

    private QueueState inspect(WorkerPool pool, Memory memory) {
        final Instant now = clock.instant();
        final Optional<TaskQueue.Inspection> found = connections.queue().inspect(settings(pool, false));
        if (found.isEmpty()) {
            return new QueueState.Missing();
        }
        return found.get().asWanted() ? ready(pool, memory, found.get().sample(), now) : new QueueState.Drifted();
    }

    /** Creates or corrects the stream and its consumer, and returns their new state. */
    QueueState provision(WorkerPool pool, Memory memory, boolean paused) {
        return orBroken(() -> {
            final Instant now = clock.instant();
            return ready(pool, memory, connections.queue().ensure(settings(pool, paused)), now);
        });
    }

    private QueueState ready(WorkerPool pool, Memory memory, TaskQueue.Sample sample, Instant asOf) {
        final long deadLetters = connections
                .deadLetters()
                .count(pool.getMetadata().getNamespace(), pool.getMetadata().getName());
        memory.kept = Optional.of(new Kept(settings(pool, false), asOf, deadLetters));
        return new QueueState.Ready(sample, deadLetters);
    }

    private static QueueState orBroken(Supplier<QueueState> asked) {
        try {
            return asked.get();
        } catch (SubjectTakenException e) {
            return new QueueState.Broken(Reason.SubjectTaken, e.getMessage() + ". " + Reason.SubjectTaken.remedy());
        } catch (QueueRefusedException e) {
            return new QueueState.Broken(Reason.QueueRefused, e.getMessage() + ". " + Reason.QueueRefused.remedy());
        } catch (QueueUnavailableException e) {
            return new QueueState.Broken(
                    Reason.QueueUnavailable, e.getMessage() + ". " + Reason.QueueUnavailable.sentence());
        }
    }

    private TaskQueue.Settings settings(WorkerPool pool, boolean paused) {
        final WorkerPoolSpec spec = pool.getSpec();
        final QueueSpec queue = spec.queue();
        return new TaskQueue.Settings(
                stream(pool),
                subject(pool),
                queue.storage() == QueueSpec.Storage.Memory,
                queue.replicas() == null ? OptionalInt.empty() : OptionalInt.of(queue.replicas()),
                queue.maxMessages() == null ? OptionalLong.empty() : OptionalLong.of(queue.maxMessages()),
                queue.maxBytes() == null ? OptionalLong.empty() : OptionalLong.of(queue.maxBytes()),
                Duration.ofSeconds(queue.heartbeatTimeoutSeconds()),
                maxAckPending(spec),
                paused,
                owner(pool, installation));
    }

    /** Written while the pool exists: when the pool is deleted, NATS may be away, and later nothing else says whose stream it is. */
    static StreamOwner owner(WorkerPool pool, String installation) {
        return new StreamOwner(installation, pool.getSpec().deletionPolicy() == WorkerPoolSpec.DeletionPolicy.Retain);
    }
}
