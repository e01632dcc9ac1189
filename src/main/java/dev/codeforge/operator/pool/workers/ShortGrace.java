package dev.codeforge.operator.pool.workers;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.jetstream.Connections;
import io.fabric8.kubernetes.api.model.Pod;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Sends the actual grace period to workers whose pods were deleted with a shorter one than their template has. */
public final class ShortGrace {
    private final Connections connections;

    public ShortGrace(Connections connections) {
        this.connections = connections;
    }

    /** The state kept for one pool. */
    public static final class Memory {
        /** The uids of pods whose workers have answered. */
        private final Set<String> sent = new HashSet<>();
    }

    /** How long the worker's runs may continue; empty if the pod has its template's grace, or is not being deleted. */
    public static Optional<Duration> of(Pod pod) {
        final Long given = pod.getMetadata().getDeletionGracePeriodSeconds();
        final Long own = pod.getSpec() == null ? null : pod.getSpec().getTerminationGracePeriodSeconds();
        if (pod.getMetadata().getDeletionTimestamp() == null || given == null || own == null || given >= own) {
            return Optional.empty();
        }
        return Optional.of(Duration.ofSeconds(Math.max(0, given - WorkerEnvironment.STOP_SECONDS)));
    }

    /** Sends the grace until each worker has answered once. The next reconcile asks a silent worker again. */
    public void send(WorkerPool pool, Memory memory, List<Pod> pods) {
        final Set<String> before = memory.sent;
        before.retainAll(pods.stream().map(ShortGrace::uid).collect(Collectors.toSet()));
        final Map<Duration, List<Pod>> leaving = pods.stream()
                .filter(pod -> !before.contains(uid(pod)) && of(pod).isPresent())
                .collect(Collectors.groupingBy(pod -> of(pod).orElseThrow()));
        if (leaving.isEmpty() || !connections.isConnected()) {
            return;
        }
        final WorkerDrain workers = new WorkerDrain(
                connections.workers(),
                pool.getMetadata().getNamespace(),
                pool.getMetadata().getName());
        leaving.forEach((grace, those) -> {
            final Set<String> answered = workers.leave(
                            those.stream()
                                    .map(pod -> pod.getMetadata().getName())
                                    .toList(),
                            grace)
                    .keySet();
            those.stream()
                    .filter(pod -> answered.contains(pod.getMetadata().getName()))
                    .forEach(pod -> before.add(uid(pod)));
        });
    }

    private static String uid(Pod pod) {
        return pod.getMetadata().getUid();
    }
}
