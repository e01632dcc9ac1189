package dev.codeforge.operator.task.loss;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Names;
import dev.codeforge.api.Phase;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.wire.TaskEvent;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.javaoperatorsdk.operator.api.config.informer.InformerEventSourceConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.informer.InformerEventSource;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** The pods that tasks run in: a change of a pod triggers its tasks. */
public final class RunningPods {
    private static final String BY_POD = "pod";

    private final KubernetesClient client;

    public RunningPods(KubernetesClient client) {
        this.client = client;
    }

    public static InformerEventSource<Pod, AgentTask> source(EventSourceContext<AgentTask> context) {
        context.getPrimaryCache().addIndexer(BY_POD, RunningPods::key);
        return new InformerEventSource<>(
                InformerEventSourceConfiguration.from(Pod.class, AgentTask.class)
                        .withLabelSelector(Names.POOL_LABEL)
                        .withPrimaryToSecondaryMapper(
                                (AgentTask task) -> podOf(task).map(Set::of).orElse(Set.of()))
                        .withSecondaryToPrimaryMapper(pod ->
                                context.getPrimaryCache().byIndex(BY_POD, key(ResourceID.fromResource(pod))).stream()
                                        .map((HasMetadata task) -> ResourceID.fromResource(task))
                                        .collect(Collectors.toSet()))
                        .build(),
                context);
    }

    /** Why the worker of a run is lost, by a live read of its pod; empty if the pod shows no loss. */
    public Optional<WorkerLoss> loss(
            AgentTask task, Optional<WorkerPool> pool, TaskEvent run, Context<AgentTask> context) {
        final String name = run.worker();
        if (pool.isEmpty() || !name.startsWith(pool.get().workersName() + "-")) {
            // The pod does not belong to the pool's Deployment, so its absence proves nothing.
            return Optional.empty();
        }
        final String namespace = task.getMetadata().getNamespace();
        final var cache = (InformerEventSource<Pod, AgentTask>)
                context.eventSourceRetriever().getEventSourceFor(Pod.class);
        if (LostWorker.loss(run, cache.get(new ResourceID(name, namespace))).isEmpty()) {
            return Optional.empty();
        }
        // The cache may lag behind a new pod, so read the API server.
        return LostWorker.loss(
                run,
                Optional.ofNullable(
                        client.pods().inNamespace(namespace).withName(name).get()));
    }

    private static List<String> key(AgentTask task) {
        return podOf(task).map(RunningPods::key).stream().toList();
    }

    private static String key(ResourceID pod) {
        return pod.getNamespace().orElse("") + "/" + pod.getName();
    }

    private static Optional<ResourceID> podOf(AgentTask task) {
        return task.observedStatus()
                .filter(status -> status.phase() == Phase.Running)
                .map(AgentTaskStatus::podName)
                .filter(name -> !name.isEmpty())
                .map(name -> new ResourceID(name, task.getMetadata().getNamespace()));
    }
}
