package dev.codeforge.operator.pool.workers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.operator.status.Reason;
import dev.codeforge.testing.Resources;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class WorkerHealthTest {

    @Test
    void aPoolWithoutPodsHasNoTrouble() {
        assertThat(trouble()).isEmpty();
    }

    @Test
    void aPodThatNobodyHasLookedAtIsNoTrouble() {
        assertThat(trouble(pod("{}"))).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "InvalidImageName",
                "ErrImageNeverPull",
                "CreateContainerConfigError",
                "CreateContainerError",
                "RunContainerError",
                "PostStartHookError",
                "CrashLoopBackOff"
            })
    void whatTheKubeletCannotStartIsTold(String reason) {
        assertThat(trouble(waiting(reason, "key K in secret S is missing")))
                .hasValue(failing("pod pod-1, container worker: " + reason + ": key K in secret S is missing", false));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "rpc error: code = Unknown desc = dial tcp 10.0.0.1:443: i/o timeout",
                "dial tcp: lookup registry.example on 10.96.0.10:53: server misbehaving",
                "received unexpected HTTP status: 503 Service Unavailable",
                "toomanyrequests: You have reached your pull rate limit",
                "Back-off pulling image worker:1"
            })
    void anImageThatWasNotPulledMayBePulledAnotherTime(String why) {
        assertThat(trouble(waiting("ErrImagePull", why)))
                .map(StartTrouble::mayPass)
                .hasValue(true);
        assertThat(trouble(waiting("ImagePullBackOff", why)))
                .map(StartTrouble::mayPass)
                .hasValue(true);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "rpc error: code = NotFound desc = failed to resolve reference worker:1: worker:1: not found",
                "manifest unknown",
                "failed to authorize: unexpected status: 401 Unauthorized",
                "pull access denied, repository does not exist or may require authorization",
                "no match for platform in manifest: linux/arm64"
            })
    void anImageThatIsNotThereOrNotOursIsNeverPulled(String why) {
        assertThat(trouble(waiting("ImagePullBackOff", why)))
                .map(StartTrouble::mayPass)
                .hasValue(false);
    }

    @ParameterizedTest
    @ValueSource(strings = {"context deadline exceeded", "name worker_pod-1 is reserved for 3f2a"})
    void aContainerRuntimeThatIsBusyMayMakeTheContainerAnotherTime(String why) {
        assertThat(trouble(waiting("CreateContainerError", why)))
                .map(StartTrouble::mayPass)
                .hasValue(true);
    }

    @Test
    void aReasonThatNobodyKnowsYetMayPass() {
        assertThat(trouble(waiting("FutureError", "a new thing")))
                .hasValue(failing("pod pod-1, container worker: FutureError: a new thing", true));
    }

    @Test
    void theWorkersOwnLastWordsAreWorthMoreThanTheKubelets() {
        assertThat(trouble(ended("exitCode: 64, message: \"backend command needs an argv\\n\"")))
                .hasValue(
                        failing("pod pod-1, container worker: CrashLoopBackOff: backend command needs an argv", false));
    }

    @Test
    void aWorkerThatSaidNothingIsToldByItsExitCode() {
        assertThat(trouble(ended("exitCode: 137, reason: OOMKilled")))
                .hasValue(failing(
                        "pod pod-1, container worker: CrashLoopBackOff: exit code 137 (OOMKilled): back-off 40s",
                        false));
    }

    @Test
    void anInitContainerThatFailsIsToldByItsName() {
        final Pod pod = pod(
                """
                initContainerStatuses:
                - {name: prepare, state: {waiting: {reason: CrashLoopBackOff, message: back-off 10s}}}
                containerStatuses:
                - {name: worker, state: {waiting: {reason: PodInitializing}}}""");
        assertThat(trouble(pod))
                .hasValue(failing("pod pod-1, container prepare: CrashLoopBackOff: back-off 10s", false));
    }

    @ParameterizedTest
    @ValueSource(strings = {"ContainerCreating", "PodInitializing"})
    void aContainerThatIsBeingCreatedIsNoTrouble(String reason) {
        assertThat(trouble(waiting(reason, ""))).isEmpty();
    }

    @Test
    void aContainerThatWaitsWithoutAReasonIsNoTrouble() {
        assertThat(trouble(pod("containerStatuses: [{name: worker, state: {waiting: {}}}]")))
                .isEmpty();
        assertThat(trouble(pod("containerStatuses: [{name: worker}]"))).isEmpty();
    }

    @Test
    void aRunningContainerIsNoTroubleWhateverItDiedOfBefore() {
        assertThat(
                        trouble(
                                pod(
                                        """
                        containerStatuses:
                        - {name: worker, state: {running: {}}, lastState: {terminated: {exitCode: 1, message: died}}}""")))
                .isEmpty();
    }

    @Test
    void aPodThatGoesIsNoTrouble() {
        final Pod leaving = waiting("CrashLoopBackOff", "back-off 10s");
        leaving.getMetadata().setDeletionTimestamp("2026-11-24T12:00:00Z");
        assertThat(trouble(leaving)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    FailedMount: MountVolume.SetUp failed for volume "key" : secret "model-key" not found        | false
                    FailedMount: MountVolume.SetUp failed for volume "c" : configmap references non-existent key | false
                    FailedMount: MountVolume.SetUp failed for volume "nfs" : mount failed: exit status 32        | true
                    FailedAttachVolume: AttachVolume.Attach failed for volume "pvc-1" : rpc error                | true
                    FailedCreatePodSandBox: Failed to create pod sandbox: plugin type="calico" failed            | true
                    """)
    void aVolumeThatCannotBeMountedIsToldInTheKubeletsWords(String why, boolean mayPass) {
        assertThat(WorkerHealth.trouble(
                        Optional.empty(), List.of(waiting("ContainerCreating", "")), Map.of("uid-1", why)))
                .hasValue(failing("pod pod-1: " + why, mayPass));
    }

    @Test
    void aPodThatFitsOnNoNodeIsTold() {
        final Pod pod = unscheduled("0/1 nodes are available: 1 Insufficient cpu.");
        assertThat(WorkerHealth.unschedulable(List.of(pod)))
                .hasValue("pod pod-1: 0/1 nodes are available: 1 Insufficient cpu.");
        assertThat(trouble(pod)).isEmpty();
    }

    @Test
    void aClaimThatIsNotThereIsNoMatterOfRoom() {
        final String why = "0/1 nodes are available: persistentvolumeclaim \"cache\" not found.";
        assertThat(trouble(unscheduled(why))).hasValue(failing("pod pod-1: " + why, false));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    pods "w-1" is forbidden: exceeded quota: compute, requested: cpu=2, limited: cpu=1      | false
                    pods "w-1" is forbidden: violates PodSecurity "restricted:latest": privileged           | false
                    pods "w-1" is forbidden: error looking up service account ns/sa: serviceaccount "sa" not found | false
                    admission webhook "policy.example" denied the request: no label team                    | false
                    Pod "w-1" is invalid: spec.containers[0].volumeMounts[0].name: Not found: "cache"       | false
                    Internal error occurred: failed calling webhook "policy.example": connection refused    | true
                    """)
    void aPodThatTheClusterDoesNotTakeIsToldThoughThereIsNone(String why, boolean mayPass) {
        assertThat(WorkerHealth.trouble(Optional.of(deployment("True", "FailedCreate", why)), List.of(), Map.of()))
                .hasValue(new StartTrouble(Reason.WorkersRefused, why, mayPass));
    }

    @Test
    void aPodThatIsTakenAgainOrIsNotDeletedIsNoTrouble() {
        for (final Deployment workers : List.of(
                deployment("False", "FailedCreate", "forbidden"), deployment("True", "FailedDelete", "forbidden"))) {
            assertThat(WorkerHealth.trouble(Optional.of(workers), List.of(), Map.of()))
                    .isEmpty();
        }
    }

    @Test
    void whatSomebodyHasToEndIsToldBeforeWhatMayPass() {
        assertThat(trouble(waiting("ErrImagePull", "i/o timeout"), waiting("RunContainerError", "no such file")))
                .map(StartTrouble::message)
                .hasValue("pod pod-1, container worker: RunContainerError: no such file");
    }

    @Test
    void onlyAPodWithoutAnyContainerBegunIsOnItsWay() {
        assertThat(WorkerHealth.isOnItsWay(waiting("ContainerCreating", ""))).isTrue();
        assertThat(WorkerHealth.isOnItsWay(pod("{}"))).isFalse();
        assertThat(WorkerHealth.isOnItsWay(waiting("ErrImagePull", ""))).isFalse();
        assertThat(
                        WorkerHealth.isOnItsWay(
                                pod(
                                        """
                        initContainerStatuses: [{name: prepare, state: {running: {}}}]
                        containerStatuses: [{name: worker, state: {waiting: {reason: PodInitializing}}}]""")))
                .isFalse();
    }

    private static Optional<StartTrouble> trouble(Pod... pods) {
        return WorkerHealth.trouble(Optional.empty(), List.of(pods), Map.of());
    }

    private static StartTrouble failing(String message, boolean mayPass) {
        return new StartTrouble(Reason.WorkersFailing, message, mayPass);
    }

    private static Pod waiting(String reason, String message) {
        return pod("containerStatuses: [{name: worker, state: {waiting: {reason: %s, message: '%s'}}}]"
                .formatted(reason, message));
    }

    private static Pod ended(String terminated) {
        return pod(
                """
                containerStatuses:
                - name: worker
                  state: {waiting: {reason: CrashLoopBackOff, message: back-off 40s}}
                  lastState: {terminated: {%s}}"""
                        .formatted(terminated));
    }

    private static Pod unscheduled(String why) {
        return pod("conditions: [{type: PodScheduled, status: 'False', reason: Unschedulable, message: '%s'}]"
                .formatted(why));
    }

    private static Pod pod(String status) {
        return Resources.of(Pod.class, "metadata: {name: pod-1, uid: uid-1}\nstatus:\n" + status.indent(2));
    }

    private static Deployment deployment(String status, String reason, String message) {
        return Resources.of(
                Deployment.class,
                "status: {conditions: [{type: ReplicaFailure, status: '%s', reason: %s, message: '%s'}]}"
                        .formatted(status, reason, message));
    }
}
