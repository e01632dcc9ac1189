package dev.codeforge.operator.results;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import dev.codeforge.testing.Events;
import dev.codeforge.testing.Resources;
import dev.codeforge.wire.TaskEvent.Kind;
import io.fabric8.kubernetes.client.utils.Serialization;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class StatusLagTest {
    private static final String RUNNING =
            "\"phase\":\"Running\",\"attempts\":2,\"deliveries\":1,\"podName\":\"worker-0\"";
    private static final String QUEUED = "\"phase\":\"Queued\",\"attempts\":2";

    @ParameterizedTest
    @EnumSource(
            value = Kind.class,
            names = {"COMPLETED", "FAILED", "CANCELLED"})
    void anOutcomeIsNewsOfATaskUnderWay(Kind outcome) {
        assertThat(tells(RUNNING, outcome, 2, 1)).isTrue();
        assertThat(tells(QUEUED, outcome, 2, 1)).isTrue();
    }

    @Test
    void anOutcomeOfAnEarlierAttemptIsOld() {
        assertThat(tells(RUNNING, Kind.FAILED, 1, 1)).isFalse();
    }

    @Test
    void aHigherAttemptIsNewsInEveryPhaseButTheLast() {
        assertThat(tells(RUNNING, Kind.RUNNING, 3, 1)).isTrue();
        assertThat(tells("\"phase\":\"Pending\",\"attempts\":2", Kind.RUNNING, 3, 1))
                .isTrue();
        assertThat(tells("", Kind.RUNNING, 1, 1)).isTrue();
        assertThat(tells("\"phase\":\"Failed\",\"attempts\":2", Kind.RUNNING, 3, 1))
                .isFalse();
    }

    /** In these phases the status knows of the attempt's end. */
    @ParameterizedTest
    @EnumSource(
            value = Phase.class,
            names = {"Pending", "Retrying", "Suspended"})
    void theOutcomeThatATaskWaitsAfterIsOld(Phase phase) {
        final String waiting = "\"phase\":\"" + phase + "\",\"attempts\":2";
        assertThat(tells(waiting, Kind.FAILED, 2, 1)).isFalse();
        assertThat(tells(waiting, Kind.RUNNING, 3, 1)).isTrue();
    }

    @Test
    void aRunIsNewsWhenAnotherOrNoneIsShown() {
        assertThat(tells(QUEUED, Kind.RUNNING, 2, 1)).isTrue();
        assertThat(tells(RUNNING, Kind.RUNNING, 2, 2)).isTrue();
        assertThat(tells(RUNNING.replace("worker-0", "worker-1"), Kind.PROGRESS, 2, 1))
                .isTrue();
        assertThat(tells(RUNNING, Kind.RUNNING, 2, 1)).isFalse();
        assertThat(tells(RUNNING, Kind.PROGRESS, 2, 1)).isFalse();
    }

    @Test
    void aRunThatWasGivenBackIsNewsUntilItIsShownAsQueued() {
        assertThat(tells(RUNNING, Kind.RELEASED, 2, 1)).isTrue();
        assertThat(tells(QUEUED, Kind.RELEASED, 2, 1)).isTrue();
        assertThat(tells(QUEUED + ",\"deliveries\":1", Kind.RELEASED, 2, 1)).isFalse();
    }

    private static boolean tells(String status, Kind kind, int attempt, int delivery) {
        final AgentTask task = Resources.task("ns", "task", "pool");
        task.setStatus(Serialization.unmarshal("{" + status + "}", AgentTaskStatus.class));
        return StatusLag.isBehind(task, Events.of(task, kind, attempt, delivery));
    }
}
