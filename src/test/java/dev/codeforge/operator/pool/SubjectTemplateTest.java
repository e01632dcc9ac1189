package dev.codeforge.operator.pool;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.api.WorkerPoolSpec.DeletionPolicy;
import dev.codeforge.testing.Resources;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** A pool's subject takes no task that is meant for another pool. */
final class SubjectTemplateTest {
    private static final String DEFAULT = "tasks.agent.{backend}";

    @Test
    void aPoolWithoutASubjectGetsThatOfTheTemplate() {
        final WorkerPool pool = pool("team", "pool", null);
        assertThat(new SubjectTemplate(DEFAULT).subject(pool)).isEqualTo("tasks.agent.command");
        assertThat(new SubjectTemplate("tasks.{namespace}.{pool}.{backend}").subject(pool))
                .isEqualTo("tasks.team.pool.command");
        assertThat(new SubjectTemplate(DEFAULT).allows(pool)).isTrue();
    }

    @Test
    void aPoolMayNameSubjectsOfItsNamespaceOnly() {
        assertThat(allows(DEFAULT, "team", "tasks.team.fast")).isTrue();
        assertThat(allows(DEFAULT, "team", "tasks.team.fast.deep")).isTrue();
        assertThat(allows(DEFAULT, "team", "tasks.teams.fast")).isFalse();
        assertThat(allows(DEFAULT, "team", "tasks.agent.aider")).isFalse();
    }

    @Test
    void aNamespaceThatIsCalledAsAWordOfTheTemplateGetsNoSubjectThatTheTemplateGivesToOthers() {
        assertThat(allows(DEFAULT, "agent", "tasks.agent.aider")).isFalse();
        assertThat(allows(DEFAULT, "agent", "tasks.agent.aider.own")).isFalse();
        assertThat(allows(DEFAULT, "agent", "tasks.agent.own.and.deep")).isTrue();
        assertThat(allows("tasks.agent.{backend}.{namespace}", "agent", "tasks.agent.aider"))
                .isFalse();
        assertThat(allows("tasks.agent.{backend}.{namespace}", "agent", "tasks.agent.aider.agent"))
                .isTrue();
        assertThat(allows("tasks.{backend}.{namespace}", "aider", "tasks.aider.team"))
                .isFalse();
        assertThat(allows("tasks.{backend}.{namespace}", "aider", "tasks.aider.aider"))
                .isTrue();
        assertThat(allows("tasks.{namespace}.{pool}", "team", "tasks.team.another"))
                .isTrue();
    }

    private static boolean allows(String template, String namespace, String subject) {
        return new SubjectTemplate(template).allows(pool(namespace, "pool", subject));
    }

    private static WorkerPool pool(String namespace, String name, String subject) {
        final WorkerPool pool = Resources.pool(namespace, name, "tasks.x.y", null, DeletionPolicy.Delete);
        pool.setSpec(Resources.poolSpec(
                subject == null
                        ? Map.of("backend", "command")
                        : Map.of("backend", "command", "queue", Map.of("subject", subject))));
        return pool;
    }
}
