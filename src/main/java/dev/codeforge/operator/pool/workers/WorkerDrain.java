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

/** Asks many workers of a pool at once, by the names of their pods. Who is silent is missing in the answer: nothing is known of it. */
public final class WorkerDrain {
    /** So long a drained worker waits to be removed: what asks it may be gone. */
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

    /** How they are. */
    public Map<String, WorkerControl.Answer> look(Collection<String> pods) {
        return ask(pods, worker -> workers.look(worker, TIMEOUT));
    }

    /** Asks them to take no more, or to go on taking none; how they are afterwards. */
    public Map<String, WorkerControl.Answer> drain(Collection<String> pods) {
        return ask(pods, worker -> workers.drain(worker, LEASE, TIMEOUT));
    }

    /** Asks them to end what they have and to take no more, or to go on so; how they are afterwards. */
    public Map<String, WorkerControl.Answer> finish(Collection<String> pods) {
        return ask(pods, worker -> workers.finish(worker, LEASE, TIMEOUT));
    }

    /** Limits how long their runs may continue once they have to stop; those that answered. */
    public Map<String, WorkerControl.Answer> leave(Collection<String> pods, Duration grace) {
        return ask(pods, worker -> workers.leave(worker, grace, TIMEOUT));
    }

    /** Asks them to take tasks again; those that did. One that is silent does so by itself when its lease is over. */
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
            // Without NATS all are silent.
            return;
        }
    }
}
