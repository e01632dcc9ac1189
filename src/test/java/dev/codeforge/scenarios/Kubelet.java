package dev.codeforge.scenarios;

import dev.codeforge.api.Names;
import dev.codeforge.testing.faults.WorkerProcess;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * What a kubelet does for the pods of a pool, which a real controller makes and deletes: each has a real worker for as long as
 * it is there, and is as ready as that.
 */
final class Kubelet implements AutoCloseable {
    private static final long LOOK_MILLIS = 100;

    private final Scene scene;
    private final KubernetesClient client;
    private final String pool;
    private final Map<String, WorkerProcess> workers = new ConcurrentHashMap<>();
    private final Map<String, Boolean> told = new ConcurrentHashMap<>();
    private final Set<String> removedBusy = ConcurrentHashMap.newKeySet();
    private final ScheduledExecutorService looking = Executors.newSingleThreadScheduledExecutor();

    Kubelet(Scene scene, String pool) {
        this.scene = scene;
        this.client = scene.installation().client();
        this.pool = pool;
        looking.scheduleWithFixedDelay(this::look, 0, LOOK_MILLIS, TimeUnit.MILLISECONDS);
    }

    private void look() {
        final List<Pod> pods = client.pods()
                .inNamespace(scene.installation().namespace())
                .withLabel(Names.POOL_LABEL, pool)
                .list()
                .getItems();
        final List<String> there = pods.stream().map(Kubelet::name).toList();
        workers.keySet().stream().filter(name -> !there.contains(name)).toList().forEach(this::end);
        pods.forEach(pod -> workers.computeIfAbsent(name(pod), name -> start(pod)));
        there.forEach(this::tell);
    }

    private WorkerProcess start(Pod pod) {
        final WorkerProcess worker = scene.installation()
                .worker(
                        name(pod),
                        pool,
                        Scene.ACK_WAIT,
                        scene.runs().script(),
                        Map.of("CODEFORGE_WORKER_PER_TASK", variable(pod, "CODEFORGE_WORKER_PER_TASK")));
        worker.start();
        return worker;
    }

    private static String variable(Pod pod, String name) {
        return pod.getSpec().getContainers().getFirst().getEnv().stream()
                .filter(variable -> name.equals(variable.getName()))
                .map(EnvVar::getValue)
                .findFirst()
                .orElse("");
    }

    private void end(String pod) {
        if (scene.runs().all().stream().anyMatch(run -> run.worker().equals(pod) && run.isAlive())) {
            removedBusy.add(pod);
        }
        workers.remove(pod).terminate();
        told.remove(pod);
    }

    private void tell(String pod) {
        final boolean ready = workers.get(pod).isReady();
        if (Boolean.valueOf(ready).equals(told.put(pod, ready))) {
            return;
        }
        try {
            client.pods()
                    .inNamespace(scene.installation().namespace())
                    .withName(pod)
                    .subresource("status")
                    .patch(
                            PatchContext.of(PatchType.JSON_MERGE),
                            """
                            {"status":{"phase":"Running","conditions":[{"type":"Ready","status":"%s"}]}}"""
                                    .formatted(ready ? "True" : "False"));
        } catch (KubernetesClientException e) {
            // Deleted since it was listed.
            told.remove(pod);
        }
    }

    /** Pods that are there. */
    Set<String> pods() {
        return Set.copyOf(workers.keySet());
    }

    /** Pods that were deleted while an agent ran in them. */
    Set<String> removedBusy() {
        return Set.copyOf(removedBusy);
    }

    private static String name(Pod pod) {
        return pod.getMetadata().getName();
    }

    @Override
    public void close() throws Exception {
        looking.shutdownNow();
        looking.awaitTermination(1, TimeUnit.MINUTES);
    }
}
