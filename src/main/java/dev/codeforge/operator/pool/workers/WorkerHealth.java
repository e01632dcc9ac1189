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

/** Why a worker does not start, in the words of the API server, the scheduler, the kubelet or the worker. */
public final class WorkerHealth {
    /** A container that waits for these is on its way. */
    private static final Set<String> ON_ITS_WAY = Set.of("ContainerCreating", "PodInitializing");
    /** One that waits for these starts when somebody has corrected something. */
    private static final Set<String> HOPELESS = Set.of(
            "InvalidImageName",
            "ErrImageNeverPull",
            "CreateContainerConfigError",
            "CreateContainerError",
            "RunContainerError",
            "PostStartHookError",
            "CrashLoopBackOff");
    /** Words of an answer that another try will meet again. */
    private static final Pattern FINAL = Pattern.compile(
            "(?i)not ?found|non-existent|manifest unknown|unknown authority|unauthorized|denied|forbidden"
                    + "|authentication required|exceeded quota|invalid|no match for platform");
    /** A container runtime that is overloaded, or has not finished with the container before. */
    private static final Pattern BUSY = Pattern.compile("(?i)deadline exceeded|is reserved for");
    /** A claim is no matter of room: no node that comes has it. */
    private static final Pattern NO_VOLUME =
            Pattern.compile("persistentvolume(claim)? \"[^\"]*\" (not found|is being deleted)");

    private WorkerHealth() {}

    /**
     * The first trouble that somebody has to end, else the first that may pass; of the newest pod that has one.
     *
     * @param volumes what a kubelet last said of pods whose containers it has not begun to make, by the pods' uids
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

    /** Quota, Pod Security, a webhook: there is no pod that could say it. */
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

    /** Its own last words, else how it ended where the kubelet only says that it waits, else the kubelet's. */
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

    /** Whether none of its containers has begun, and the kubelet says nothing but that they will. */
    static boolean isOnItsWay(Pod pod) {
        return containers(pod).findAny().isPresent()
                && containers(pod).allMatch(container -> waitingFor(container)
                        .filter(ON_ITS_WAY::contains)
                        .isPresent());
    }

    /** What the scheduler says of the first pod that it finds no node for. */
    public static Optional<String> unschedulable(List<Pod> pods) {
        return WorkerPods.alive(pods).stream()
                .flatMap(pod ->
                        WorkerPods.unschedulable(pod)
                                .map(why -> "pod " + pod.getMetadata().getName() + ": " + why)
                                .stream())
                .findFirst();
    }
}
