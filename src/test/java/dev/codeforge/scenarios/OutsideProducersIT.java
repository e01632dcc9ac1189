package dev.codeforge.scenarios;

import static dev.codeforge.scenarios.EndState.WORK;
import static dev.codeforge.scenarios.Scene.eventually;
import static dev.codeforge.testing.Patience.throughout;
import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import dev.codeforge.wire.Headers;
import dev.codeforge.wire.TaskEvent;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** Messages that others put on a pool's subject are served once each, and never taken for ours. */
final class OutsideProducersIT {
    /** From the operator's start to its first sweep, and from one to the next. */
    private static final Duration PAST_A_SWEEP = Duration.ofSeconds(9);

    private static Scene scene;

    @BeforeAll
    static void start() throws Exception {
        scene = Scene.started();
    }

    @AfterAll
    static void stop() throws Exception {
        scene.close();
    }

    @Scenario
    void twoMessagesWithOneIdAreServedOnceEach() throws Exception {
        scene.pool("twice", "");
        final long first = scene.broker().publishOutside(scene.subject("twice"), "job-7", WORK);
        final long second = scene.broker().publishOutside(scene.subject("twice"), "job-7", WORK);
        scene.worker("twice-worker", "twice");
        eventually(
                () -> scene.broker().ends("job-7").size() == 2 && scene.broker().standing("twice") == 0);
        assertThat(scene.broker().ends("job-7"))
                .allMatch(event -> event.kind() == TaskEvent.Kind.COMPLETED)
                .extracting(TaskEvent::sequence)
                .containsExactlyInAnyOrder(first, second);
        assertThat(scene.runs().of("job-7")).hasSize(2);
    }

    @Scenario
    void messagesThatNobodyTakesAreNeitherSweptNorPurged() {
        scene.pool("idle", "");
        // Next to what is ours and comes and goes.
        scene.task("cancelled", "idle", WORK, "");
        scene.task("deleted", "idle", WORK, "");
        scene.awaitPhase("cancelled", Phase.Queued);
        scene.awaitPhase("deleted", Phase.Queued);
        scene.broker().publishOutside(scene.subject("idle"), "job-1", WORK);
        scene.broker().publishOutside(scene.subject("idle") + ".job-2", "job-2", WORK);
        scene.broker().publishOutside(scene.subject("idle") + ".cancelled", "cancelled", WORK);
        scene.edit("cancelled", "\"cancel\":true");
        scene.taskResource("deleted").delete();
        scene.awaitPhase("cancelled", Phase.Cancelled);
        eventually(() -> scene.broker().standing("idle") == 3);
        throughout(PAST_A_SWEEP, () -> scene.broker().standing("idle") == 3);
        assertThat(scene.broker().deadLetters("idle")).isEmpty();
    }

    @Scenario
    void aMessageNamedAsAnAgentTaskEndsForItselfOnly() throws Exception {
        scene.pool("named", "");
        scene.task("named", "named", scene.hold("named-go") + "\n" + WORK, "");
        scene.worker("named-worker", "named", 2);
        final AgentTaskStatus running = scene.awaitRun("named");
        scene.broker().publishOutside(scene.subject("named"), "named", "exit 1");
        eventually(() -> scene.broker().ends("named").size() == 1);
        eventually(() -> scene.broker().unacknowledgedEvents() == 0);
        throughout(Duration.ofSeconds(2), () -> scene.status("named").equals(running));
        scene.release("named-go");
        assertThat(scene.awaitPhase("named", Phase.Succeeded).result().output()).contains("done");
        scene.assertDoneOnce("named", 3);
        assertThat(scene.broker().ends("named")).extracting(TaskEvent::kind).containsExactly(TaskEvent.Kind.FAILED);
    }

    @Scenario
    void aMessageWithAnAgentTasksUidIsDeadLetteredAndChangesNothing() throws Exception {
        scene.pool("posing", "");
        scene.task("posing", "posing", WORK, "");
        scene.awaitPhase("posing", Phase.Queued);
        scene.broker().publishOutside(scene.subject("posing"), scene.uid("posing"), "exit 1");
        scene.worker("posing-worker", "posing");
        scene.awaitPhase("posing", Phase.Succeeded);
        scene.assertDoneOnce("posing", 3);
        eventually(() -> scene.broker().deadLetters("posing").size() == 1);
        assertThat(scene.broker().deadLetters("posing").getFirst().getHeaders().getFirst(Headers.REASON))
                .isEqualTo("InvalidTaskId");
    }

    @Scenario
    void aMessageOnAnAgentTasksOwnSubjectHoldsItUpOnlyUntilAWorkerSeesIt() throws Exception {
        scene.pool("squatted", "");
        scene.task("squatted", "squatted", WORK, "");
        scene.awaitPhase("squatted", Phase.Queued);
        // Its message is lost, and an outside one stands in its place.
        scene.broker().purgePool("squatted");
        scene.broker()
                .publishOutside(
                        scene.subject("squatted") + "." + scene.uid("squatted"), scene.uid("squatted"), "exit 1");
        scene.worker("squatted-worker", "squatted");
        scene.awaitPhase("squatted", Phase.Succeeded);
        assertThat(scene.runs().of(scene.uid("squatted"))).hasSize(1);
        assertThat(scene.broker().deadLetters("squatted")).hasSize(1);
    }
}
