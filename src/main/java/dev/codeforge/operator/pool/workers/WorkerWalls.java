package dev.codeforge.operator.pool.workers;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.jetstream.Connections;
import dev.codeforge.jetstream.WorkerControl;
import io.fabric8.kubernetes.api.model.Pod;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * The workers' reports on the walls around their agents. The operator asks each worker of a pool until it has answered
 * once, because its kernel does not change.
 */
public final class WorkerWalls {
    /** A silent worker is asked again after this time. */
    private static final Duration PAUSE = Duration.ofMinutes(1);

    private final Connections connections;
    private final Clock clock;

    public WorkerWalls(Connections connections, Clock clock) {
        this.connections = connections;
        this.clock = clock;
    }

    /** The state kept for one pool, by the pods' uids. */
    public static final class Memory {
        private final Map<String, List<String>> told = new HashMap<>();
        private final Map<String, Instant> askAgain = new HashMap<>();
    }

    /** A sentence for each way out of their run that agents of any worker have; empty while no worker has answered. */
    public Optional<List<String>> of(WorkerPool pool, Memory memory, List<Pod> pods) {
        final Map<String, Pod> byUid = WorkerPods.alive(pods).stream()
                .collect(Collectors.toMap(pod -> pod.getMetadata().getUid(), Function.identity()));
        memory.told.keySet().retainAll(byUid.keySet());
        memory.askAgain.keySet().retainAll(byUid.keySet());
        ask(pool, memory, byUid);
        return memory.told.isEmpty()
                ? Optional.empty()
                : Optional.of(memory.told.values().stream()
                        .flatMap(List::stream)
                        .distinct()
                        .sorted()
                        .toList());
    }

    private void ask(WorkerPool pool, Memory memory, Map<String, Pod> byUid) {
        final Instant now = clock.instant();
        final Map<String, String> asked = byUid.entrySet().stream()
                .filter(pod -> WorkerPods.isReady(pod.getValue()) && !memory.told.containsKey(pod.getKey()))
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
        asked.forEach((uid, name) -> {
            memory.askAgain.put(uid, now.plus(PAUSE));
            Optional.ofNullable(answers.get(name))
                    .ifPresent(answer -> memory.told.put(uid, open(byUid.get(uid), answer)));
        });
    }

    private static List<String> open(Pod pod, WorkerControl.Answer answer) {
        final String worker = "worker " + pod.getMetadata().getName();
        final String older = ": its image is older than the operator";
        final List<String> open =
                new ArrayList<>(answer.openWalls().orElseGet(() -> List.of(worker + " does not say" + older)));
        if (WorkerPods.isForOneTask(pod) && answer.spent().isEmpty()) {
            open.add(worker + " takes task after task, not one" + older);
        }
        return open;
    }
}
