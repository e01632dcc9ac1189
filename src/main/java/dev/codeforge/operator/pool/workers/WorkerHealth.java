package dev.codeforge.operator.pool.workers;

import dev.codeforge.operator.status.Reason;
import io.fabric8.kubernetes.api.model.ContainerState;
import io.fabric8.kubernetes.api.model.ContainerStateTerminated;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentStatus;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Finds why a worker does not start: a message of the API server, the scheduler, the kubelet or the worker. */
public final class WorkerHealth {
    /** A container that waits for one of these reasons is starting. */
    private static final Set<String> ON_ITS_WAY = Set.of("ContainerCreating", "PodInitializing");
    /** A container that waits for one of these reasons starts only after a correction. */
    private static final Set<String> HOPELESS = Set.of(
            "InvalidImageName",
            "ErrImageNeverPull",
            "CreateContainerConfigError",
            "CreateContainerError",
            "RunContainerError",
            "PostStartHookError",
            "CrashLoopBackOff");
    /** Matches a message that Kubernetes will get again on another try. */
    private static final Pattern FINAL = Pattern.compile(
            "(?i)not ?found|non-existent|manifest unknown|unknown authority|unauthorized|denied|forbidden"
                    + "|authentication required|exceeded quota|invalid|no match for platform");
    /** Matches a message of a container runtime that is overloaded, or has not finished with the container before. */
    private static final Pattern BUSY = Pattern.compile("(?i)deadline exceeded|is reserved for");
    /** Matches a message on a missing volume or claim: unlike a lack of room, no new node removes the problem. */
    private static final Pattern NO_VOLUME =
            Pattern.compile("persistentvolume(claim)? \"[^\"]*\" (not found|is being deleted)");

    private WorkerHealth() {}

    /**
     * The first trouble that needs a correction, otherwise the first that may pass; of the newest pod that has one.
     *
     * @param volumes the kubelets' last messages on pods whose containers have not begun, by the pods' uids
     */
    public static Optional<StartTrouble> trouble(
            Optional<Deployment> workers, List<Pod> pods, Map<String, String> volumes) {
        final List<StartTrouble> found = Stream.concat(
                        workers.flatMap(WorkerHealth::refused).stream(),
                        WorkerPods.alive(pods).stream()
                                .sorted(Comparator.comparing(WorkerHealth::created)
                                        .reversed())
                                .flatMap(pod -> trouble(pod, volumes)))
                .toList();
        return found.stream().filter(trouble -> !trouble.mayPass()).findFirst().or(() -> found.stream()
                .findFirst());
    }

    private static String created(Pod pod) {
        return String.valueOf(pod.getMetadata().getCreationTimestamp());
    }

    /** The API server refused the pods (quota, Pod Security, a webhook): only the Deployment's status shows it. */
    private static Optional<StartTrouble> refused(Deployment workers) {
        return Optional.ofNullable(workers.getStatus()).map(DeploymentStatus::getConditions).stream()
                .flatMap(List::stream)
                .filter(condition -> "ReplicaFailure".equals(condition.getType())
                        && "True".equals(condition.getStatus())
                        && "FailedCreate".equals(condition.getReason()))
                .map(condition -> String.valueOf(condition.getMessage()))
                .map(why -> new StartTrouble(Reason.WorkersRefused, why, !isFinal(why)))
                .findFirst();
    }

    private static Stream<StartTrouble> trouble(Pod pod, Map<String, String> volumes) {
        final String name = "pod " + pod.getMetadata().getName();
        final Stream<StartTrouble> unplaced = WorkerPods.unschedulable(pod)
                .filter(WorkerHealth::isWithoutVolume)
                .map(why -> failing(name + ": " + why, false))
                .stream();
        final Stream<StartTrouble> unmounted =
                Optional.ofNullable(pod.getMetadata().getUid())
                        .map(volumes::get)
                        .map(why -> failing(name + ": " + why, !isFinal(why)))
                        .stream();
        final Stream<StartTrouble> waiting = containers(pod)
                .flatMap(container -> trouble(name + ", container " + container.getName(), container).stream());
        return Stream.of(unplaced, unmounted, waiting).flatMap(trouble -> trouble);
    }

    private static Stream<ContainerStatus> containers(Pod pod) {
        return pod.getStatus() == null
                ? Stream.of()
                : Stream.concat(
                        pod.getStatus().getInitContainerStatuses().stream(),
                        pod.getStatus().getContainerStatuses().stream());
    }

    private static Optional<StartTrouble> trouble(String where, ContainerStatus container) {
        return waitingFor(container)
                .filter(reason -> !ON_ITS_WAY.contains(reason))
                .map(reason -> {
                    final String why = words(container);
                    final boolean mayPass =
                            HOPELESS.contains(reason) ? BUSY.matcher(why).find() : !isFinal(why);
                    return failing(where + ": " + reason + (why.isEmpty() ? "" : ": " + why), mayPass);
                });
    }

    private static Optional<String> waitingFor(ContainerStatus container) {
        return Optional.ofNullable(container.getState())
                .map(ContainerState::getWaiting)
                .map(waiting -> waiting.getReason());
    }

    /** The container's own last message, otherwise its exit code with the kubelet's message, otherwise that message. */
    private static String words(ContainerStatus container) {
        final Optional<ContainerStateTerminated> end =
                Optional.ofNullable(container.getLastState()).map(ContainerState::getTerminated);
        final String kubelet = Optional.ofNullable(
                        container.getState().getWaiting().getMessage())
                .orElse("");
        return end.map(ContainerStateTerminated::getMessage)
                .map(String::strip)
                .filter(own -> !own.isEmpty())
                .or(() -> end.map(how -> "exit code " + how.getExitCode() + " (" + how.getReason() + "): " + kubelet))
                .orElse(kubelet);
    }

    private static StartTrouble failing(String message, boolean mayPass) {
        return new StartTrouble(Reason.WorkersFailing, message, mayPass);
    }

    private static boolean isFinal(String why) {
        return FINAL.matcher(why).find();
    }

    private static boolean isWithoutVolume(String why) {
        return NO_VOLUME.matcher(why).find();
    }

    /** True if none of the pod's containers has begun, and the kubelet reports all of them as starting. */
    static boolean isOnItsWay(Pod pod) {
        return containers(pod).findAny().isPresent()
                && containers(pod).allMatch(container -> waitingFor(container)
                        .filter(ON_ITS_WAY::contains)
                        .isPresent());
    }

    /** The scheduler's message on the first pod for which it finds no node. */
    public static Optional<String> unschedulable(List<Pod> pods) {
        return WorkerPods.alive(pods).stream()
                .flatMap(pod ->
                        WorkerPods.unschedulable(pod)
                                .map(why -> "pod " + pod.getMetadata().getName() + ": " + why)
                                .stream())
                .findFirst();
    }
}
