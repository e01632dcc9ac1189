package dev.codeforge.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/** A part of the installation that all tests share is away for a while. */
@Isolated("others would meet the outage too")
final class OutageE2E {
    @AutoClose
    private final Platform platform = new Platform();

    @Test
    void aTaskOutlivesTheOperator() {
        platform.pool("pool", 1, "sleep 5; cat");
        platform.task("task", "pool");
        platform.awaitPhase("task", Phase.Running);
        platform.kill(
                Platform.SYSTEM, platform.systemPod("operator").getMetadata().getName());
        final AgentTaskStatus status = platform.awaitFinished("task");
        assertThat(status.phase()).as("%s", status.error()).isEqualTo(Phase.Succeeded);
        assertThat(status.deliveries()).isEqualTo(1);
    }

    @Test
    void aTaskOutlivesARestartOfNats() {
        platform.pool("pool", 1, "sleep 8; cat");
        platform.task("task", "pool");
        platform.awaitPhase("task", Phase.Running);
        platform.kill(Platform.SYSTEM, "codeforge-nats-0");
        final AgentTaskStatus status = platform.awaitFinished("task");
        assertThat(status.phase()).as("%s", status.error()).isEqualTo(Phase.Succeeded);
        assertThat(status.deliveries()).isEqualTo(1);
        platform.task("after", "pool");
        assertThat(platform.awaitFinished("after").phase()).isEqualTo(Phase.Succeeded);
    }
}
