package dev.codeforge.operator.task;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.Phase;
import dev.codeforge.operator.task.status.StatusTransition;
import dev.codeforge.testing.Events;
import dev.codeforge.wire.TaskEvent.Kind;
import org.junit.jupiter.api.Test;

/** What is planned while an older task waits for room in the pool's queue. */
final class BacklogPlanTest {
    private static final String NO_MESSAGE = "{observedGeneration: 1, phase: Pending}";

    @Test
    void aNewTaskWaitsForTheOlderOnes() {
        final Seen seen = Seen.task("title: t").status(NO_MESSAGE);
        assertThat(seen.plan()).isEqualTo(seen.publish(1));
        assertThat(seen.behind().said().phase()).isEqualTo(Phase.Pending);
        assertThat(((StatusTransition.Waiting) ((TaskPlan.UpdateStatus) seen.plan()).view())
                        .reason()
                        .name())
                .isEqualTo("QueueFull");
    }

    @Test
    void aMessageThatWasLostIsPublishedAgainAtOnce() {
        final Seen seen = Seen.task("title: t").queued(1).lost().behind();
        assertThat(seen.plan()).isEqualTo(new TaskPlan.Publish(seen.pool(), 1, false, true));
    }

    @Test
    void aTaskThatStandsStaysQueued() {
        assertThat(Seen.task("title: t").queued(1).behind().said().phase()).isEqualTo(Phase.Queued);
    }

    @Test
    void anOutcomeIsTakenAllTheSame() {
        final Seen seen = Seen.task("title: t").queued(1).lost().behind();
        seen.event(Events.of(seen.task, Kind.COMPLETED));
        assertThat(seen.said().phase()).isEqualTo(Phase.Succeeded);
    }
}
