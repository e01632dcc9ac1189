package dev.codeforge.operator.task.loss;

import dev.codeforge.wire.TaskEvent;
import io.fabric8.kubernetes.api.model.ContainerState;
import io.fabric8.kubernetes.api.model.ContainerStateTerminated;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodCondition;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Reads from a worker's pod whether the worker is lost, and why. */
final class LostWorker {
    private static final String WORKER = "worker";
    private static final String OOM_KILLED = "OOMKilled";
    private static final String FAILED = "Failed";
    private static final String NODE_LOST = "DeletionByTaintManager";

    private LostWorker() {}

    /**
     * @param pod of the run; empty if it does not exist. A failed container restarts in its pod, so a missing pod was
     *     deleted
     */
    static Optional<WorkerLoss> loss(TaskEvent run, Optional<Pod> pod) {
        if (pod.isEmpty()) {
            return disrupted(run.worker(), "was deleted");
        }
        return outOfMemory(run, pod.get())
                .or(() -> outOfDisk(run.worker(), pod.get()))
                .or(() -> isOver(pod.get()) ? disrupted(run.worker(), how(pod.get())) : Optional.empty());
    }

    private static Optional<WorkerLoss> outOfMemory(TaskEvent run, Pod pod) {
        return container(pod)
                .filter(container -> Stream.of(container.getState(), container.getLastState())
                        .filter(Objects::nonNull)
                        .map(ContainerState::getTerminated)
                        .filter(Objects::nonNull)
                        .anyMatch(ended -> OOM_KILLED.equals(ended.getReason()) && hadBegun(run, ended)))
                .map(container -> new WorkerLoss(
                        WorkerLoss.Kind.OUT_OF_MEMORY,
                        "container " + WORKER + " of pod " + run.worker() + " needed more memory than "
                                + limit(pod, "memory", "its node has")
                                + ", and was ended with its run: raise resources.limits.memory in spec.template of the"
                                + " pool, or ask for less; the task is not retried unless retry.retryable names"
                                + " OutOfMemory"));
    }

    /** Both times are of the pod's node. Kubernetes rounds to seconds, and a container takes longer to start. */
    private static boolean hadBegun(TaskEvent run, ContainerStateTerminated ended) {
        return run.startTime() != null
                && ended.getFinishedAt() != null
                && !run.startTime().truncatedTo(ChronoUnit.SECONDS).isAfter(Instant.parse(ended.getFinishedAt()));
    }

    /** The kubelet sets DisruptionTarget for node pressure only, not for a pod's own limit. */
    private static Optional<WorkerLoss> outOfDisk(String name, Pod pod) {
        return Optional.ofNullable(pod.getStatus())
                .filter(status -> FAILED.equals(status.getPhase()) && "Evicted".equals(status.getReason()))
                .filter(status -> disruption(pod).isEmpty())
                .map(status -> new WorkerLoss(
                        WorkerLoss.Kind.OUT_OF_DISK,
                        "pod " + name + " has filled its disk and was ended with its run"
                                + why(null, status.getMessage())
                                + ": raise the limit of the volume, or ephemeral-storage, in spec.template of the"
                                + " pool; the task is not retried unless retry.retryable names OutOfDisk"));
    }

    private static Optional<ContainerStatus> container(Pod pod) {
        return Optional.ofNullable(pod.getStatus()).stream()
                .flatMap(status -> status.getContainerStatuses().stream())
                .filter(container -> WORKER.equals(container.getName()))
                .findFirst();
    }

    private static String limit(Pod pod, String resource, String none) {
        return Optional.ofNullable(pod.getSpec()).stream()
                .flatMap(spec -> spec.getContainers().stream())
                .filter(container -> WORKER.equals(container.getName()) && container.getResources() != null)
                .flatMap(container ->
                        Optional.ofNullable(container.getResources().getLimits())
                                .map(limits -> limits.get(resource))
                                .stream())
                .map(quantity -> "its limit of " + quantity)
                .findFirst()
                .orElse(none);
    }

    private static Optional<WorkerLoss> disrupted(String name, String how) {
        return Optional.of(new WorkerLoss(
                WorkerLoss.Kind.DISRUPTED,
                "pod " + name + " " + how + " before its run had ended: another worker runs the task, and this run"
                        + " does not count"));
    }

    /** Its containers have terminated, or cannot be reached; a pod that is being deleted may still finish its run. */
    private static boolean isOver(Pod pod) {
        if (pod.getStatus() == null) {
            return false;
        }
        final boolean isLeaving = pod.getMetadata().getDeletionTimestamp() != null
                || disruption(pod).isPresent();
        return FAILED.equals(pod.getStatus().getPhase())
                || (isLeaving && (hasEnded(pod) || isOfLostNode(pod)))
                || isUnreachable(pod);
    }

    private static boolean hasEnded(Pod pod) {
        final List<ContainerStatus> containers = pod.getStatus().getContainerStatuses();
        return !containers.isEmpty()
                && containers.stream()
                        .allMatch(container -> container.getState() != null
                                && container.getState().getTerminated() != null);
    }

    private static boolean isOfLostNode(Pod pod) {
        return disruption(pod)
                .filter(condition -> NODE_LOST.equals(condition.getReason()))
                .isPresent();
    }

    /** A kubelet writes both conditions alike. When it is silent, the node controller resets Ready alone. */
    private static boolean isUnreachable(Pod pod) {
        return has(pod, "Ready", "False") && has(pod, "ContainersReady", "True") && hasNoGates(pod);
    }

    private static boolean hasNoGates(Pod pod) {
        return pod.getSpec() == null || pod.getSpec().getReadinessGates().isEmpty();
    }

    private static String how(Pod pod) {
        final Optional<PodCondition> disruption = disruption(pod);
        if (disruption.isPresent()) {
            return "was removed"
                    + why(disruption.get().getReason(), disruption.get().getMessage());
        }
        if (FAILED.equals(pod.getStatus().getPhase())) {
            return "was ended"
                    + why(pod.getStatus().getReason(), pod.getStatus().getMessage());
        }
        return pod.getMetadata().getDeletionTimestamp() == null ? "is on a node that does not answer" : "was deleted";
    }

    /** Kubernetes may set neither reason nor message. */
    private static String why(@Nullable String reason, @Nullable String message) {
        final String words = Stream.of(reason, message)
                .filter(word -> word != null && !word.isEmpty())
                .collect(Collectors.joining(": "));
        return words.isEmpty() ? "" : " (" + words + ")";
    }

    private static Optional<PodCondition> disruption(Pod pod) {
        return pod.getStatus().getConditions().stream()
                .filter(condition -> "DisruptionTarget".equals(condition.getType()))
                .filter(condition -> "True".equals(condition.getStatus()))
                .findFirst();
    }

    private static boolean has(Pod pod, String type, String status) {
        return pod.getStatus().getConditions().stream()
                .anyMatch(condition -> type.equals(condition.getType()) && status.equals(condition.getStatus()));
    }
}
