package dev.codeforge.operator.pool;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class WorkerHealthTest {

    @Test
    void aPoolWithoutPodsHasNoTrouble() {
        assertThat(WorkerHealth.trouble(List.of())).isEmpty();
    }

    @Test
    void aPodThatNobodyHasLookedAtIsNoTrouble() {
        assertThat(WorkerHealth.trouble(List.of(new PodBuilder()
                        .withNewMetadata()
                        .withName("pod-1")
                        .endMetadata()
                        .build())))
                .isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "ErrImagePull",
                "ImagePullBackOff",
                "InvalidImageName",
                "CreateContainerConfigError",
                "CrashLoopBackOff"
            })
    void whatTheKubeletCannotStartIsTold(String reason) {
        assertThat(WorkerHealth.trouble(List.of(waiting(reason, "secret \"key\" not found"))))
                .hasValue("pod pod-1, container worker: " + reason + ": secret \"key\" not found");
    }

    @Test
    void theWorkersOwnLastWordsAreWorthMoreThanTheKubelets() {
        final Pod pod = new PodBuilder(waiting("CrashLoopBackOff", "back-off 40s restarting failed container"))
                .editStatus()
                .editContainerStatus(0)
                .withNewLastState()
                .withNewTerminated()
                .withExitCode(64)
                .withMessage("backend command needs an argv\n")
                .endTerminated()
                .endLastState()
                .endContainerStatus()
                .endStatus()
                .build();
        assertThat(WorkerHealth.trouble(List.of(pod)))
                .hasValue("pod pod-1, container worker: CrashLoopBackOff: backend command needs an argv");
    }

    @Test
    void aContainerThatIsBeingCreatedIsNoTrouble() {
        assertThat(WorkerHealth.trouble(List.of(waiting("ContainerCreating", null))))
                .isEmpty();
    }

    @Test
    void aContainerThatWaitsWithoutAReasonIsNoTrouble() {
        assertThat(WorkerHealth.trouble(List.of(waiting(null, null)))).isEmpty();
    }

    @Test
    void aRunningContainerIsNoTroubleWhateverItDiedOfBefore() {
        final Pod pod = new PodBuilder(waiting("CrashLoopBackOff", "back-off"))
                .editStatus()
                .editContainerStatus(0)
                .withNewState()
                .withNewRunning()
                .endRunning()
                .endState()
                .endContainerStatus()
                .endStatus()
                .build();
        assertThat(WorkerHealth.trouble(List.of(pod))).isEmpty();
    }

    @Test
    void aPodThatFitsOnNoNodeIsTold() {
        final Pod pod = new PodBuilder()
                .withNewMetadata()
                .withName("pod-1")
                .endMetadata()
                .withNewStatus()
                .addNewCondition()
                .withType("PodScheduled")
                .withStatus("False")
                .withReason("Unschedulable")
                .withMessage("0/1 nodes are available: 1 Insufficient cpu.")
                .endCondition()
                .endStatus()
                .build();
        assertThat(WorkerHealth.unschedulable(List.of(pod)))
                .hasValue("pod pod-1: 0/1 nodes are available: 1 Insufficient cpu.");
        assertThat(WorkerHealth.trouble(List.of(pod))).isEmpty();
    }

    private static Pod waiting(String reason, String message) {
        return new PodBuilder()
                .withNewMetadata()
                .withName("pod-1")
                .endMetadata()
                .withNewStatus()
                .addNewContainerStatus()
                .withName("worker")
                .withNewState()
                .withNewWaiting(message, reason)
                .endState()
                .endContainerStatus()
                .endStatus()
                .build();
    }
}
