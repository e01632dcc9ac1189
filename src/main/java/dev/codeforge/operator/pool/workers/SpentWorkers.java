package dev.codeforge.operator.pool.workers;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.jetstream.Connections;
import dev.codeforge.jetstream.WorkerControl;
import io.fabric8.kubernetes.api.model.Pod;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Finds the workers of a pool that have had their one task. The operator asks each worker until it confirms that: a
 * worker publishes a task's end before it is idle, and no event reports the idle worker. A spent worker stays spent as
 * long as its pod exists.
 */
public final class SpentWorkers {
    /** Shorter than the delay after a change of the queue, so that the second reconcile asks again. */
    private static final Duration AGAIN = Duration.ofMillis(50);
    /** A silent worker delays each reconcile that asks it. */
    private static final Duration AFTER_SILENCE = Duration.ofSeconds(2);

    private final Connections connections;
    private final Clock clock;

    public SpentWorkers(Connections connections, Clock clock) {
        this.connections = connections;
        this.clock = clock;
    }

    /** The state kept for one pool, by the pods' uids. */
    public static final class Memory {
        private final Set<String> spent = new HashSet<>();
        private final Map<String, Instant> askAgain = new HashMap<>();
    }

    public List<Pod> of(WorkerPool pool, Memory memory, List<Pod> pods) {
        final Map<String, Pod> forOneTask = WorkerPods.alive(pods).stream()
                .filter(WorkerPods::isForOneTask)
                .collect(Collectors.toMap(pod -> pod.getMetadata().getUid(), Function.identity()));
        memory.spent.retainAll(forOneTask.keySet());
        memory.askAgain.keySet().retainAll(forOneTask.keySet());
        ask(pool, memory, forOneTask);
        return memory.spent.stream().map(forOneTask::get).toList();
    }

    /** Asks pods that are not ready too, because a spent worker is not ready. */
    private void ask(WorkerPool pool, Memory memory, Map<String, Pod> pods) {
        final Instant now = clock.instant();
        final Map<String, String> asked = pods.entrySet().stream()
                .filter(pod -> !memory.spent.contains(pod.getKey()))
                .filter(pod -> !now.isBefore(memory.askAgain.getOrDefault(pod.getKey(), Instant.MIN)))
                .collect(Collectors.toMap(
                        Map.Entry::getKey, pod -> pod.getValue().getMetadata().getName()));
        if (asked.isEmpty() || !connections.isConnected()) {
            return;
        }
        final Map<String, WorkerControl.Answer> answers = new WorkerDrain(
                        connections.workers(),
                        pool.getMetadata().getNamespace(),
                        pool.getMetadata().getName())
                .look(asked.values());
        final Instant answered = clock.instant();
        asked.forEach((uid, name) -> {
            final WorkerControl.Answer answer = answers.get(name);
            memory.askAgain.put(uid, answered.plus(answer == null ? AFTER_SILENCE : AGAIN));
            if (answer != null && answer.isSpent()) {
                memory.spent.add(uid);
            }
        });
    }
}
