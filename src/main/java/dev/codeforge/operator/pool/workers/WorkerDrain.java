package dev.codeforge.operator.pool.workers;

import dev.codeforge.jetstream.QueueUnavailableException;
import dev.codeforge.jetstream.WorkerControl;
import dev.codeforge.wire.WorkerRef;
import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Function;

/** Asks many workers of a pool at once, by the names of their pods. The answers leave silent workers out. */
public final class WorkerDrain {
    /** A drained worker takes tasks again after this time, because the operator that asked it may be gone. */
    private static final Duration LEASE = Duration.ofSeconds(60);

    private static final Duration TIMEOUT = Duration.ofSeconds(1);
    private final WorkerControl workers;
    private final String namespace;
    private final String pool;

    public WorkerDrain(WorkerControl workers, String namespace, String pool) {
        this.workers = workers;
        this.namespace = namespace;
        this.pool = pool;
    }

    /** The state of the workers. */
    public Map<String, WorkerControl.Answer> look(Collection<String> pods) {
        return ask(pods, worker -> workers.look(worker, TIMEOUT));
    }

    /** Asks the workers to take no further task, or renews that lease; their state afterwards. */
    public Map<String, WorkerControl.Answer> drain(Collection<String> pods) {
        return ask(pods, worker -> workers.drain(worker, LEASE, TIMEOUT));
    }

    /** Asks the workers to finish their tasks and take no further one, or renews that lease; their state afterwards. */
    public Map<String, WorkerControl.Answer> finish(Collection<String> pods) {
        return ask(pods, worker -> workers.finish(worker, LEASE, TIMEOUT));
    }

    /** Limits how long runs of the workers may continue once the workers have to stop; the workers that answered. */
    public Map<String, WorkerControl.Answer> leave(Collection<String> pods, Duration grace) {
        return ask(pods, worker -> workers.leave(worker, grace, TIMEOUT));
    }

    /** Asks the workers to take tasks again; those that answered. A silent worker does so by itself after its lease. */
    public Map<String, WorkerControl.Answer> resume(Collection<String> pods) {
        return ask(pods, worker -> workers.resume(worker, TIMEOUT));
    }

    private Map<String, WorkerControl.Answer> ask(
            Collection<String> pods, Function<WorkerRef, Optional<WorkerControl.Answer>> question) {
        if (pods.isEmpty()) {
            return Map.of();
        }
        final Map<String, WorkerControl.Answer> answers = new ConcurrentHashMap<>();
        try (ExecutorService all = Executors.newVirtualThreadPerTaskExecutor()) {
            pods.forEach(pod -> all.submit(() -> answer(pod, question, answers)));
        }
        return answers;
    }

    private void answer(
            String pod,
            Function<WorkerRef, Optional<WorkerControl.Answer>> question,
            Map<String, WorkerControl.Answer> answers) {
        try {
            question.apply(new WorkerRef(namespace, pool, pod)).ifPresent(answer -> answers.put(pod, answer));
        } catch (QueueUnavailableException e) {
            // While NATS is away, all workers are silent.
            return;
        }
    }
}
