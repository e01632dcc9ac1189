package dev.codeforge.operator.pool.workers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.testing.Resources;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import java.util.List;
import org.junit.jupiter.api.Test;

final class WorkerPodsTest {
    private static final Pod RUNNING = pod("{metadata: {name: running}, status: {phase: Running}}");
    private static final Pod TERMINATING =
            pod("{metadata: {name: terminating, deletionTimestamp: '2026-11-24T12:00:00Z'}, status: {phase: Running}}");
    private static final Pod EVICTED = pod("{metadata: {name: evicted}, status: {phase: Failed}}");
    private static final Pod NEW = pod("{metadata: {name: new}}");

    @Test
    void whoIsDeletedOrHasEndedIsNoReplica() {
        assertThat(WorkerPods.alive(List.of(RUNNING, TERMINATING, EVICTED, NEW)))
                .containsExactly(RUNNING, NEW);
    }

    @Test
    void aPoolIsSettledWhenKubernetesHasDoneWhatItWasAsked() {
        assertThat(WorkerPods.settled(deployment(4, "observedGeneration: 4, replicas: 1, updatedReplicas: 1"), one()))
                .isTrue();
    }

    @Test
    void itIsNotWhileAChangeIsNotObservedOrPodsAreMissingOrOfAnEarlierTemplate() {
        assertThat(WorkerPods.settled(deployment(5, "observedGeneration: 4, replicas: 1, updatedReplicas: 1"), one()))
                .isFalse();
        assertThat(WorkerPods.settled(deployment(4, "observedGeneration: 4, replicas: 2, updatedReplicas: 2"), one()))
                .isFalse();
        assertThat(WorkerPods.settled(deployment(4, "observedGeneration: 4, replicas: 1"), one()))
                .isFalse();
    }

    @Test
    void itIsNotWhilePodsThatWereCountedOutAreStillThere() {
        final List<Pod> two = List.of(RUNNING, NEW);
        assertThat(WorkerPods.settled(deployment(4, "observedGeneration: 4, replicas: 2, updatedReplicas: 2"), two))
                .isFalse();
    }

    @Test
    void whatNobodyHasLookedAtHasNoPods() {
        assertThat(WorkerPods.settled(deployment(1, ""), List.of())).isTrue();
        assertThat(WorkerPods.settled(deployment(1, ""), one())).isFalse();
    }

    private static List<Pod> one() {
        return List.of(RUNNING, TERMINATING);
    }

    private static Pod pod(String yaml) {
        return Resources.of(Pod.class, yaml);
    }

    private static Deployment deployment(long generation, String status) {
        return Resources.of(
                Deployment.class,
                "{metadata: {generation: %d}, spec: {replicas: 1}, status: {%s}}".formatted(generation, status));
    }
}
