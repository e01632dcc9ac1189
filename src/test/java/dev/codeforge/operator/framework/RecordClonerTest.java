package dev.codeforge.operator.framework;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.testing.Resources;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentBuilder;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class RecordClonerTest {
    private final RecordCloner cloner = new RecordCloner();

    @Test
    void aCopyIsTheSameAndItsMetadataItsOwn() {
        final AgentTask task = Resources.task("ns", "task", "pool");
        task.setStatus(AgentTaskStatus.unobserved());
        final AgentTask copy = cloner.clone(task);
        assertThat(copy).isNotSameAs(task).isEqualTo(task);
        copy.getMetadata().setLabels(Map.of("a", "b"));
        copy.setStatus(null);
        assertThat(task.getMetadata().getLabels()).doesNotContainKey("a");
        assertThat(task.getStatus()).isEqualTo(AgentTaskStatus.unobserved());
    }

    @Test
    void aPoolWithoutAStatusIsCopiedWithoutOne() {
        final WorkerPool pool = Resources.pool("ns", "pool", null);
        assertThat(cloner.clone(pool)).isNotSameAs(pool).isEqualTo(pool);
    }

    @Test
    void whatIsNotOursIsCopiedWhole() {
        final Deployment deployment =
                new DeploymentBuilder().withNewSpec().withReplicas(3).endSpec().build();
        final Deployment copy = cloner.clone(deployment);
        copy.getSpec().setReplicas(4);
        assertThat(deployment.getSpec().getReplicas()).isEqualTo(3);
    }
}
