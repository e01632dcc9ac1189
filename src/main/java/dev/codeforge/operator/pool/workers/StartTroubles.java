package dev.codeforge.operator.pool.workers;

import dev.codeforge.api.WorkerPool;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Finds why workers of a pool do not start, and since when. The status of pods and Deployment has most causes. A volume
 * that cannot be mounted is only in the kubelet's Events, which are read for pods whose containers have not begun for
 * some seconds.
 */
public final class StartTroubles {
    /** Most pods start within this time. It is also the interval between two reads of Events. */
    private static final Duration USUAL = Duration.ofSeconds(5);
    /** Number of pods whose Events are read: all workers of a pool have one template, and so the same trouble. */
    private static final int ASKED = 3;

    private final PodEvents events;
    private final Clock clock;

    public StartTroubles(KubernetesClient client, Clock clock) {
        this.events = new PodEvents(client);
        this.clock = clock;
    }

    /** The state kept for one pool. */
    public static final class Memory {
        private final Map<String, Instant> onTheirWay = new HashMap<>();
        private Map<String, String> volumes = Map.of();
        private Instant asked = Instant.MIN;
        private @Nullable Instant troubled;

        /** True if a pod has yet to start: call again soon, because nothing triggers on an Event written meanwhile. */
        public boolean awaitsAny() {
            return troubled != null || !onTheirWay.isEmpty();
        }
    }

    public Optional<StartTrouble.Seen> of(
            WorkerPool pool, Memory memory, Optional<Deployment> workers, List<Pod> pods) {
        final Instant now = clock.instant();
        final Optional<StartTrouble> trouble = WorkerHealth.trouble(workers, pods, volumes(pool, memory, pods, now));
        memory.troubled = trouble.isEmpty() ? null : memory.troubled == null ? now : memory.troubled;
        return trouble.map(found -> new StartTrouble.Seen(found, memory.troubled));
    }

    private Map<String, String> volumes(WorkerPool pool, Memory memory, List<Pod> pods, Instant now) {
        final List<String> waiting = WorkerPods.alive(pods).stream()
                .filter(WorkerHealth::isOnItsWay)
                .map(pod -> pod.getMetadata().getUid())
                .toList();
        memory.onTheirWay.keySet().retainAll(waiting);
        waiting.forEach(uid -> memory.onTheirWay.putIfAbsent(uid, now));
        final List<String> late = waiting.stream()
                .filter(uid -> !now.isBefore(memory.onTheirWay.get(uid).plus(USUAL)))
                .limit(ASKED)
                .toList();
        if (late.isEmpty()) {
            memory.volumes = Map.of();
        } else if (!now.isBefore(memory.asked.plus(USUAL))) {
            memory.asked = now;
            memory.volumes = late.stream()
                    .flatMap(uid ->
                            events
                                    .trouble(pool.getMetadata().getNamespace(), uid)
                                    .map(why -> Map.entry(uid, why))
                                    .stream())
                    .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
        }
        return memory.volumes;
    }
}
