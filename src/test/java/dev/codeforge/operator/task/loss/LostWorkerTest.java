package dev.codeforge.operator.task.loss;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.testing.Events;
import dev.codeforge.testing.Resources;
import dev.codeforge.wire.TaskEvent;
import io.fabric8.kubernetes.api.model.Pod;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a pod shows of the worker in it. */
final class LostWorkerTest {
    /** Begun at 11:58:00 in pod worker-0. */
    private static final TaskEvent RUN = Events.of(Resources.task("ns", "task", "pool"), TaskEvent.Kind.RUNNING);

    private static final String RUNS = "containerStatuses: [{name: worker, state: {running: {}}}]";
    private static final String HAS_ENDED = "containerStatuses: [{name: worker, state: {terminated: {exitCode: 137}}}]";
    private static final String LEAVES = "deletionTimestamp: '2026-11-24T12:00:00Z'";

    @Test
    void aPodThatRunsHasItsWorker() {
        assertThat(loss("", "phase: Running, " + RUNS)).isEmpty();
    }

    @Test
    void aPodThatNobodyHasLookedAtHasItsWorker() {
        assertThat(LostWorker.loss(RUN, Optional.of(Resources.of(Pod.class, "metadata: {name: pod}"))))
                .isEmpty();
    }

    @Test
    void aPodThatIsGoneWasTakenAway() {
        assertThat(LostWorker.loss(RUN, Optional.empty()))
                .hasValueSatisfying(
                        loss -> assertThat(loss.failure().message()).startsWith("pod worker-0 was deleted"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"EvictionByEvictionAPI", "PreemptionByScheduler", "TerminationByKubelet"})
    void aPodThatIsTakenAwayMayStillEndItsRun(String reason) {
        assertThat(loss(LEAVES, "phase: Running, " + disruption(reason) + ", " + RUNS))
                .isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"EvictionByEvictionAPI", "PreemptionByScheduler", "TerminationByKubelet"})
    void itWasTakenAwayWhenItsContainersHaveEnded(String reason) {
        assertThat(loss(LEAVES, "phase: Running, " + disruption(reason) + ", " + HAS_ENDED))
                .hasValueSatisfying(loss -> {
                    assertThat(loss.kind()).isEqualTo(WorkerLoss.Kind.DISRUPTED);
                    assertThat(loss.failure().type()).isEqualTo("Disrupted");
                    assertThat(loss.message()).contains("(" + reason + ": it had to go)");
                });
    }

    @Test
    void aPodThatSomebodyDeletesIsLostWhenItsContainersHaveEnded() {
        assertThat(loss(LEAVES, "phase: Running, " + HAS_ENDED)).isPresent();
        assertThat(loss("", "phase: Running, " + HAS_ENDED))
                .as("one that is started again in its place")
                .isEmpty();
    }

    @Test
    void aPodOfWhichOneContainerStillRunsIsNotLost() {
        assertThat(loss(
                        LEAVES,
                        "phase: Running, containerStatuses: [{name: worker, state: {running: {}}}, {name: sidecar, state:"
                                + " {terminated: {exitCode: 0}}}]"))
                .isEmpty();
    }

    @Test
    void nobodyWaitsForTheContainersOfALostNode() {
        assertThat(loss(LEAVES, "phase: Running, " + disruption("DeletionByTaintManager") + ", " + RUNS))
                .isPresent();
    }

    @Test
    void aPodThatFailedWithoutAReasonIsToldOfInASentence() {
        assertThat(loss("", "phase: Failed")).hasValueSatisfying(loss -> assertThat(loss.message())
                .startsWith("pod worker-0 was ended before its run had ended"));
        assertThat(loss("", "phase: Failed, reason: NodeShutdown"))
                .hasValueSatisfying(loss -> assertThat(loss.message()).contains("was ended (NodeShutdown) before"));
    }

    @Test
    void aPodThatTheKubeletHasEndedWasTakenAway() {
        assertThat(loss(
                        "",
                        "phase: Failed, reason: Evicted, message: 'The node was low on resource: memory', "
                                + disruption("TerminationByKubelet")))
                .isPresent();
        assertThat(loss("", "phase: Failed, reason: NodeShutdown, message: the node goes"))
                .hasValueSatisfying(loss -> assertThat(loss.message()).contains("NodeShutdown: the node goes"));
    }

    @Test
    void aPodWhoseNodeIsSilentIsLostAlthoughNobodyHasDeletedIt() {
        assertThat(loss("", "phase: Running, " + ready("False", "True") + ", " + RUNS))
                .hasValueSatisfying(loss -> assertThat(loss.message()).contains("node that does not answer"));
    }

    @Test
    void aPodThatIsNotReadyByItsOwnWordIsNotLost() {
        assertThat(loss("", "phase: Running, " + ready("False", "False") + ", " + RUNS))
                .isEmpty();
    }

    @Test
    void aReadinessGateIsNoSilentNode() {
        final Pod pod = Resources.of(
                Pod.class,
                "{metadata: {name: pod}, spec: {readinessGates: [{conditionType: example.com/gate}]}, status: {phase:"
                        + " Running, " + ready("False", "True") + ", " + RUNS + "}}");
        assertThat(LostWorker.loss(RUN, Optional.of(pod))).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"2026-11-24T11:58:00Z", "2026-11-24T11:59:30Z"})
    void aContainerThatNeededMoreMemoryThanItsLimitIsNamedWithIt(String ended) {
        assertThat(loss("", killed("lastState", "OOMKilled", ended))).hasValueSatisfying(loss -> {
            assertThat(loss.isGivenBack()).isFalse();
            assertThat(loss.failure().type()).isEqualTo("OutOfMemory");
            assertThat(loss.failure().retryable()).isFalse();
            assertThat(loss.message()).contains("worker-0 needed more memory than its limit of 512Mi");
        });
    }

    @Test
    void alsoBeforeItIsStartedAgain() {
        assertThat(loss("", killed("state", "OOMKilled", "2026-11-24T11:59:30Z")))
                .hasValueSatisfying(loss -> assertThat(loss.kind()).isEqualTo(WorkerLoss.Kind.OUT_OF_MEMORY));
    }

    @Test
    void aRunThatBeganAfterItsContainerWasStartedAgainIsNotTheOneThatEndedIt() {
        assertThat(loss("", killed("lastState", "OOMKilled", "2026-11-24T11:57:59Z")))
                .isEmpty();
    }

    @Test
    void aContainerThatEndedForAnotherReasonIsALostWorkerLikeAnyOther() {
        assertThat(loss("", killed("lastState", "Error", "2026-11-24T11:59:30Z")))
                .isEmpty();
    }

    @Test
    void anotherContainersMemoryIsNotTheWorkers() {
        assertThat(loss(
                        "",
                        killed("lastState", "OOMKilled", "2026-11-24T11:59:30Z").replace("worker", "sidecar")))
                .isEmpty();
    }

    @Test
    void aPodThatHasFilledItsOwnDiskIsNoDisruption() {
        assertThat(loss("", "phase: Failed, reason: Evicted, message: 'Usage of EmptyDir volume exceeds the limit'"))
                .hasValueSatisfying(loss -> {
                    assertThat(loss.isGivenBack()).isFalse();
                    assertThat(loss.failure().type()).isEqualTo("OutOfDisk");
                    assertThat(loss.message()).contains("(Usage of EmptyDir volume exceeds the limit)");
                });
    }

    @Test
    void aNodeThatIsFullIsADisruption() {
        assertThat(loss(
                        "",
                        "phase: Failed, reason: Evicted, message: 'The node was low on resource', "
                                + disruption("TerminationByKubelet")))
                .hasValueSatisfying(loss -> assertThat(loss.kind()).isEqualTo(WorkerLoss.Kind.DISRUPTED));
    }

    private static String killed(String state, String reason, String at) {
        return "phase: Running, containerStatuses: [{name: worker, " + state + ": {terminated: {exitCode: 137, reason: "
                + reason + ", finishedAt: '" + at + "'}}}]";
    }

    private static String disruption(String reason) {
        return "conditions: [{type: DisruptionTarget, status: 'True', reason: " + reason + ", message: it had to go}]";
    }

    private static String ready(String pod, String containers) {
        return "conditions: [{type: Ready, status: '" + pod + "'}, {type: ContainersReady, status: '" + containers
                + "'}]";
    }

    /** @param metadata besides the name; @param status both as YAML */
    private static Optional<WorkerLoss> loss(String metadata, String status) {
        final String more = metadata.isEmpty() ? "" : ", " + metadata;
        return LostWorker.loss(
                RUN,
                Optional.of(Resources.of(
                        Pod.class,
                        "{metadata: {name: pod" + more
                                + "}, spec: {containers: [{name: worker, resources: {limits: {memory:"
                                + " 512Mi}}}]}, status: {" + status + "}}")));
    }
}
