package dev.codeforge.operator.scaling;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.testing.Resources;
import io.fabric8.kubernetes.api.model.Pod;
import java.util.List;
import org.junit.jupiter.api.Test;

final class WorkerScaleTest {
    @Test
    void theLowestCostIsOurMarkAndAnotherIsTheUsers() {
        final Pod running = pod("{metadata: {name: running}, status: {phase: Running}}");
        final Pod marked = pod(
                "{metadata: {name: marked, annotations: {controller.kubernetes.io/pod-deletion-cost: '-2147483648'}}}");
        final Pod cheap =
                pod("{metadata: {name: cheap, annotations: {controller.kubernetes.io/pod-deletion-cost: '-5'}}}");
        assertThat(WorkerScale.marked(List.of(running, marked, cheap))).containsExactly(marked);
    }

    private static Pod pod(String yaml) {
        return Resources.of(Pod.class, yaml);
    }
}
