package dev.codeforge.operator.pool;

import io.fabric8.kubernetes.api.model.ContainerState;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.Pod;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Why a worker does not start, in the kubelet's or the worker's own words. */
final class WorkerHealth {
    private static final Set<String> HOPELESS = Set.of(
            "ErrImagePull",
            "ImagePullBackOff",
            "InvalidImageName",
            "ErrImageNeverPull",
            "CreateContainerConfigError",
            "CreateContainerError",
            "RunContainerError",
            "CrashLoopBackOff");

    private WorkerHealth() {}

    static Optional<String> trouble(List<Pod> pods) {
        return pods.stream().flatMap(pod -> trouble(pod).stream()).findFirst();
    }

    private static Optional<String> trouble(Pod pod) {
        if (pod.getStatus() == null) {
            return Optional.empty();
        }
        final String name = pod.getMetadata().getName();
        return pod.getStatus().getContainerStatuses().stream()
                .flatMap(container -> trouble(name, container).stream())
                .findFirst();
    }

    private static Optional<String> trouble(String pod, ContainerStatus container) {
        final ContainerState state = container.getState();
        if (state == null
                || state.getWaiting() == null
                || state.getWaiting().getReason() == null
                || !HOPELESS.contains(state.getWaiting().getReason())) {
            return Optional.empty();
        }
        final ContainerState last = container.getLastState();
        final String own = last != null
                        && last.getTerminated() != null
                        && last.getTerminated().getMessage() != null
                ? last.getTerminated().getMessage().strip()
                : "";
        final String kubelet = state.getWaiting().getMessage() == null
                ? ""
                : state.getWaiting().getMessage();
        return Optional.of("pod " + pod + ", container " + container.getName() + ": "
                + state.getWaiting().getReason() + ": " + (own.isEmpty() ? kubelet : own));
    }

    /** What the scheduler says of the first pod that it finds no node for. */
    static Optional<String> unschedulable(List<Pod> pods) {
        return WorkerPods.alive(pods).stream()
                .flatMap(pod ->
                        WorkerPods.unschedulable(pod)
                                .map(why -> "pod " + pod.getMetadata().getName() + ": " + why)
                                .stream())
                .findFirst();
    }
}
