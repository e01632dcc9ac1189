package dev.codeforge.operator.pool.workers;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodCondition;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentStatus;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Reads the state of a pool's pods and of their Deployment. */
public final class WorkerPods {
    private static final Set<String> ENDED = Set.of("Succeeded", "Failed");

    private WorkerPods() {}

    /** The pods that Kubernetes counts as replicas. */
    public static List<Pod> alive(List<Pod> pods) {
        return pods.stream()
                .filter(pod -> pod.getMetadata().getDeletionTimestamp() == null)
                .filter(pod -> pod.getStatus() == null
                        || !ENDED.contains(String.valueOf(pod.getStatus().getPhase())))
                .toList();
    }

    public static boolean isReady(Pod pod) {
        return conditions(pod).stream()
                .anyMatch(condition -> "Ready".equals(condition.getType()) && "True".equals(condition.getStatus()));
    }

    /** True if the pod's worker is for one task, according to the template that the pod was created from. */
    static boolean isForOneTask(Pod pod) {
        return pod.getSpec() != null
                && pod.getSpec().getContainers().stream()
                        .filter(container -> WorkerDeployment.CONTAINER.equals(container.getName()))
                        .flatMap(container -> container.getEnv().stream())
                        .anyMatch(variable -> WorkerEnvironment.WORKER_PER_TASK.equals(variable.getName())
                                && "true".equals(variable.getValue()));
    }

    /** Number of pods for which the scheduler finds no node. */
    public static int unschedulable(List<Pod> pods) {
        return (int) alive(pods).stream()
                .filter(pod -> unschedulable(pod).isPresent())
                .count();
    }

    /** Why the scheduler finds no node for the pod; empty when it does. */
    public static Optional<String> unschedulable(Pod pod) {
        return conditions(pod).stream()
                .filter(condition ->
                        "PodScheduled".equals(condition.getType()) && "Unschedulable".equals(condition.getReason()))
                .map(condition -> String.valueOf(condition.getMessage()))
                .findFirst();
    }

    /** True if pods of an earlier template are left. */
    public static boolean rollingOut(Deployment deployment) {
        final DeploymentStatus status = deployment.getStatus();
        return status != null && number(status.getUpdatedReplicas()) < number(status.getReplicas());
    }

    /** True if Kubernetes has carried out the whole Deployment, and the pods were read as recently. */
    public static boolean settled(Deployment deployment, List<Pod> pods) {
        final DeploymentStatus status = deployment.getStatus();
        if (status == null || status.getObservedGeneration() == null) {
            // Kubernetes has not observed the Deployment: it has no pods yet.
            return alive(pods).isEmpty();
        }
        return status.getObservedGeneration() >= deployment.getMetadata().getGeneration()
                && !rollingOut(deployment)
                // The status may show a lowered number before any pod is removed.
                && number(status.getReplicas()) <= deployment.getSpec().getReplicas()
                && number(status.getReplicas()) == alive(pods).size();
    }

    private static int number(Integer value) {
        return value == null ? 0 : value;
    }

    private static List<PodCondition> conditions(Pod pod) {
        return pod.getStatus() == null ? List.of() : pod.getStatus().getConditions();
    }
}
