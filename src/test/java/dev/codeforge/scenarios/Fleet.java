package dev.codeforge.scenarios;

import static dev.codeforge.testing.Patience.PATIENCE;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.codeforge.api.Names;
import dev.codeforge.testing.TestNats;
import dev.codeforge.wire.Subjects;
import dev.codeforge.wire.WorkerRef;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.nats.client.Connection;
import io.nats.client.Message;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * The pods of a pool, which a real controller makes and deletes, and their workers, which are played: they answer on
 * {@code control.worker.<pod>}, are busy when the test says so, and remember how they went.
 */
final class Fleet implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final long LOOK_MILLIS = 50;

    private final KubernetesClient client;
    private final String namespace;
    private final String pool;
    private final Connection nats;
    private final Map<String, Worker> workers = new ConcurrentHashMap<>();
    private final Set<String> removedBusy = ConcurrentHashMap.newKeySet();
    private final Set<String> removedPulling = ConcurrentHashMap.newKeySet();
    private final Set<String> unready = ConcurrentHashMap.newKeySet();
    private final ScheduledExecutorService looking = Executors.newSingleThreadScheduledExecutor();

    Fleet(KubernetesClient client, String namespace, String pool, TestNats server) throws Exception {
        this.client = client;
        this.namespace = namespace;
        this.pool = pool;
        this.nats = server.connect();
        nats.createDispatcher(this::answer).subscribe(Subjects.control(new WorkerRef(namespace, pool, "*")));
        nats.flush(PATIENCE);
        looking.scheduleWithFixedDelay(this::look, 0, LOOK_MILLIS, TimeUnit.MILLISECONDS);
    }

    /** A worker as the protocol describes it. */
    final class Worker {
        private final String pod;
        private boolean busy;
        private boolean silent;
        private Instant idleSince = Instant.now();
        private Instant drainedUntil = Instant.MIN;

        private Worker(String pod) {
            this.pod = pod;
        }

        synchronized void begin() {
            busy = true;
        }

        synchronized void end() {
            busy = false;
            idleSince = Instant.now();
        }

        synchronized void fallSilent() {
            silent = true;
        }

        /** As if its last task had ended earlier. */
        synchronized void idleFor(Duration time) {
            idleSince = Instant.now().minus(time);
        }

        /** As if its lease were over. */
        synchronized void forgetDrain() {
            drainedUntil = Instant.MIN;
        }

        synchronized boolean isDrained() {
            return Instant.now().isBefore(drainedUntil);
        }

        String pod() {
            return pod;
        }

        private synchronized void answer(JsonNode question, String reply) throws IOException {
            if (silent) {
                return;
            }
            switch (question.path("action").asText()) {
                case "drain" -> {
                    if (!busy) {
                        drainedUntil = Instant.now()
                                .plusSeconds(question.path("leaseSeconds").asInt());
                    }
                }
                case "finish" ->
                    drainedUntil = Instant.now()
                            .plusSeconds(question.path("leaseSeconds").asInt());
                case "resume" -> drainedUntil = Instant.MIN;
                default -> {}
            }
            final double idle =
                    busy ? 0 : Duration.between(idleSince, Instant.now()).toMillis() / 1000.0;
            nats.publish(
                    reply,
                    JSON.writeValueAsBytes(Map.of(
                            "worker",
                            pod,
                            "idle",
                            !busy,
                            "draining",
                            isDrained(),
                            "idleSeconds",
                            idle,
                            "openWalls",
                            List.of())));
        }
    }

    private void answer(Message message) {
        final Worker worker =
                workers.get(message.getSubject().substring(message.getSubject().lastIndexOf('.') + 1));
        if (worker != null) {
            try {
                worker.answer(JSON.readTree(message.getData()), message.getReplyTo());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private List<Pod> pods() {
        return client.pods()
                .inNamespace(namespace)
                .withLabel(Names.POOL_LABEL, pool)
                .list()
                .getItems();
    }

    private void look() {
        final List<Pod> pods = pods();
        for (final Pod pod : pods) {
            if (workers.putIfAbsent(name(pod), new Worker(name(pod))) == null) {
                setReady(name(pod), !unready.remove("next"));
            }
        }
        final List<String> there = pods.stream().map(Fleet::name).toList();
        workers.values().removeIf(worker -> {
            final boolean gone = !there.contains(worker.pod());
            if (gone && worker.busy) {
                removedBusy.add(worker.pod());
            }
            if (gone && !worker.isDrained()) {
                removedPulling.add(worker.pod());
            }
            return gone;
        });
    }

    /** The next pod that appears does not become ready. */
    void nextIsUnready() {
        unready.add("next");
    }

    private void setReady(String pod, boolean ready) {
        client.pods()
                .inNamespace(namespace)
                .withName(pod)
                .subresource("status")
                .patch(
                        PatchContext.of(PatchType.JSON_MERGE),
                        """
                        {"status":{"phase":"Running","conditions":[{"type":"Ready","status":"%s"}]}}"""
                                .formatted(ready ? "True" : "False"));
    }

    /** By name, so that a test can point at them. */
    List<Worker> workers() {
        return new ArrayList<>(new TreeMap<>(workers).values());
    }

    Set<String> names() {
        return Set.copyOf(workers.keySet());
    }

    /** Pods that were deleted while their worker had a task. */
    Set<String> removedBusy() {
        return Set.copyOf(removedBusy);
    }

    /** Pods that were deleted while their worker would have taken a task. */
    Set<String> removedPulling() {
        return Set.copyOf(removedPulling);
    }

    /** Pods with a deletion cost. */
    List<String> marked() {
        return pods().stream()
                .filter(pod -> pod.getMetadata().getAnnotations() != null
                        && pod.getMetadata().getAnnotations().containsKey("controller.kubernetes.io/pod-deletion-cost"))
                .map(Fleet::name)
                .toList();
    }

    private static String name(Pod pod) {
        return pod.getMetadata().getName();
    }

    @Override
    public void close() throws Exception {
        looking.shutdownNow();
        nats.close();
    }
}
