package dev.codeforge.scenarios;

import static dev.codeforge.scenarios.EndState.WORK;
import static dev.codeforge.scenarios.Scene.eventually;
import static dev.codeforge.testing.Patience.PATIENCE;
import static dev.codeforge.testing.Patience.throughout;
import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import dev.codeforge.operator.status.Conditions;
import dev.codeforge.testing.faults.Fault;
import dev.codeforge.testing.faults.Injection;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** The tasks of a session run one at a time, in the order of their creation, whatever happens to those before them. */
final class SessionIT {
    private static final Duration WHILE = Duration.ofSeconds(3);
    /** Well below the time after which a task that waits is looked at without cause. */
    private static final Duration AT_ONCE = Duration.ofSeconds(10);

    private static Scene scene;

    @BeforeAll
    static void start() throws Exception {
        scene = Scene.started("pool");
        scene.worker("worker", "pool", 8);
    }

    @AfterAll
    static void stop() throws Exception {
        scene.close();
    }

    /** Fails when another task of the same name is in here. */
    private static String alone(String session) {
        final String lock = scene.file(session + "-lock").toString();
        return "mkdir " + lock + " || exit 1\nsleep 0.3\nrmdir " + lock;
    }

    private static String message(String task) {
        return Conditions.find(scene.status(task).conditions(), "Ready")
                .orElseThrow()
                .getMessage();
    }

    private static boolean waitsFor(String task, String other) {
        return scene.reason(task).equals("SessionBusy") && message(task).contains("AgentTask " + other + " ");
    }

    private static void assertFollowedAtOnce(AgentTaskStatus first, AgentTaskStatus next) {
        assertThat(next.startTime()).isAfterOrEqualTo(first.completionTime());
        assertThat(Duration.between(first.completionTime(), next.queuedTime()))
                .as(
                        "from the end at %s, then queued %s, begun %s",
                        first.completionTime(), next.queuedTime(), next.startTime())
                .isLessThan(AT_ONCE);
    }

    @Scenario
    void tasksThatAreCreatedAtOnceRunOneAfterTheOther() throws Exception {
        final List<String> names =
                Stream.of("a", "b", "c", "d").map("rush-"::concat).toList();
        names.parallelStream()
                .forEach(name -> scene.task(name, "pool", alone("rush") + "\n" + WORK, "session: {name: rush}"));
        final List<AgentTaskStatus> ends = names.stream()
                .map(name -> scene.awaitPhase(name, Phase.Succeeded))
                .sorted(Comparator.comparing(AgentTaskStatus::startTime))
                .toList();
        for (int i = 1; i < ends.size(); i++) {
            assertFollowedAtOnce(ends.get(i - 1), ends.get(i));
        }
        for (final String name : names) {
            scene.assertDoneOnce(name, 6);
        }
    }

    @Scenario
    void theSecondIsPublishedWhenTheFirstHasEndedAlsoAcrossARestartOfTheOperator() throws Exception {
        try (Scene own = Scene.started("pool")) {
            own.worker("worker", "pool", 2);
            own.task("first", "pool", own.hold("first") + "\n" + WORK, "session: {name: restart}");
            own.awaitRun("first");
            own.task("second", "pool", WORK, "session: {name: restart}");
            eventually(() -> own.reason("second").equals("SessionBusy"));
            own.operator().kill();
            own.release("first");
            eventually(() -> own.broker().ends(own.uid("first")).size() == 1);
            throughout(WHILE, () -> own.runs().of(own.uid("second")).isEmpty());
            own.startOperator();
            own.awaitPhase("second", Phase.Succeeded);
            own.assertDoneOnce("first", 3);
            own.assertDoneOnce("second", 4);
        }
    }

    @Scenario
    void whenTheFirstIsDeletedInTheMiddleOfItsRunTheSecondRuns() throws Exception {
        scene.task("deleted", "pool", scene.hold("deleted"), "session: {name: deleted}");
        scene.awaitRun("deleted");
        scene.task("heir", "pool", WORK, "session: {name: deleted}");
        eventually(() -> waitsFor("heir", "deleted"));
        scene.taskResource("deleted").delete();
        scene.awaitPhase("heir", Phase.Succeeded);
        assertThat(scene.broker().ends(scene.uid("deleted"))).hasSize(1);
        scene.assertDoneOnce("heir", 4);
    }

    @Scenario
    void aFirstThatWillBeTriedAgainHoldsTheSession() throws Exception {
        // Fails the first time that it is run.
        final String work = "mkdir " + scene.file("once") + " && exit 1\n" + alone("retried") + "\n" + WORK;
        scene.task("retried", "pool", work, "session: {name: retried}\nretry: {maxAttempts: 2, backoffSeconds: 4}");
        scene.awaitPhase("retried", Phase.Retrying);
        scene.task("patient", "pool", alone("retried") + "\n" + WORK, "session: {name: retried}");
        eventually(() -> waitsFor("patient", "retried"));
        final AgentTaskStatus first = scene.awaitPhase("retried", Phase.Succeeded);
        assertThat(first.attempts()).isEqualTo(2);
        assertFollowedAtOnce(first, scene.awaitPhase("patient", Phase.Succeeded));
    }

    @Scenario
    void aRerunOfTheFirstWaitsForTheSecondAndGoesBeforeTheThird() throws Exception {
        final String work = alone("rerun") + "\n" + WORK;
        scene.task("one", "pool", work, "session: {name: rerun}");
        scene.awaitPhase("one", Phase.Succeeded);
        scene.task("two", "pool", scene.hold("two") + "\n" + work, "session: {name: rerun}");
        scene.awaitRun("two");
        scene.task("three", "pool", work, "session: {name: rerun}");
        eventually(() -> waitsFor("three", "two"));
        scene.edit("one", "\"rerun\":\"1\"");
        eventually(() -> waitsFor("one", "two"));
        assertThat(scene.runs().of(scene.uid("one"))).hasSize(1);
        scene.release("two");
        final AgentTaskStatus two = scene.awaitPhase("two", Phase.Succeeded);
        final AgentTaskStatus three = scene.awaitPhase("three", Phase.Succeeded);
        final AgentTaskStatus one = scene.awaitPhase("one", Phase.Succeeded);
        assertThat(one.attempts()).isEqualTo(2);
        assertFollowedAtOnce(two, one);
        assertFollowedAtOnce(one, three);
    }

    @Scenario
    void aSuspendedTaskBlocksItsSessionUntilItIsDeletedAndOneThatIsCancelledDoesNot() throws Exception {
        // Made within one second they are in the order of their names.
        scene.task("held-1", "pool", WORK, "session: {name: held}\nsuspend: true");
        scene.awaitPhase("held-1", Phase.Suspended);
        scene.task("held-2", "pool", WORK, "session: {name: held}");
        eventually(() -> waitsFor("held-2", "held-1"));
        scene.task("held-3", "pool", WORK, "session: {name: held}");
        eventually(() -> waitsFor("held-3", "held-2"));
        scene.edit("held-2", "\"cancel\": true");
        scene.awaitPhase("held-2", Phase.Cancelled);
        eventually(() -> waitsFor("held-3", "held-1"));
        throughout(WHILE, () -> scene.runs().of(scene.uid("held-3")).isEmpty());
        scene.taskResource("held-1").delete();
        scene.awaitPhase("held-3", Phase.Succeeded);
        assertThat(scene.runs().of(scene.uid("held-2"))).isEmpty();
    }

    private static String say(String word) {
        return "echo " + word + " >>\"$CODEFORGE_SESSION_DIR/said\"\ntr '\\n' ' ' <\"$CODEFORGE_SESSION_DIR/said\"\n";
    }

    private static String output(String task, Phase phase) {
        return scene.awaitPhase(task, phase).result().output();
    }

    @Scenario
    void aConversationMovesOnWithEachSuccessAndAFailureLeavesItWhereItWas() throws Exception {
        scene.task("talk-1", "pool", say("one") + WORK, "session: {name: talk}");
        assertThat(output("talk-1", Phase.Succeeded)).contains("one ");
        scene.task("talk-2", "pool", say("two") + "exit 1", "session: {name: talk}");
        assertThat(output("talk-2", Phase.Failed)).contains("one two ");
        scene.task("talk-3", "pool", say("three") + WORK, "session: {name: talk}");
        assertThat(output("talk-3", Phase.Succeeded)).contains("one three ");
        scene.task("monologue", "pool", say("alone") + WORK, "session: {name: another}");
        assertThat(output("monologue", Phase.Succeeded)).contains("alone ").doesNotContain("one two", "three");
        scene.edit("talk-1", "\"rerun\":\"1\"");
        eventually(() -> scene.status("talk-1").attempts() == 2);
        assertThat(output("talk-1", Phase.Succeeded)).contains("one three one ");
    }

    @Scenario
    void anotherSessionAndATaskWithoutOneDoNotWait() throws Exception {
        scene.task("busy", "pool", scene.hold("busy") + "\n" + WORK, "session: {name: busy}");
        scene.awaitRun("busy");
        scene.task("other", "pool", WORK, "session: {name: other}");
        scene.task("none", "pool", WORK, "");
        scene.awaitPhase("other", Phase.Succeeded);
        scene.awaitPhase("none", Phase.Succeeded);
        scene.release("busy");
        scene.awaitPhase("busy", Phase.Succeeded);
    }

    @Scenario
    void anOperatorKilledBetweenTurnAndPublishGoesOnWithTheTurn() throws Exception {
        try (Scene own = Scene.started("pool")) {
            final Injection publish = own.operatorNats().at(1, "tasks.>", new Fault.Instead(own.operator()::kill));
            own.task("task", "pool", WORK, "session: {name: claimed}");
            publish.awaitHit(PATIENCE);
            eventually(() -> !own.operator().isAlive());
            own.startOperator();
            own.worker("worker", "pool");
            assertThat(EndState.of(own.awaitPhase("task", Phase.Succeeded))).isEqualTo(EndState.undisturbed());
            own.assertDoneOnce("task", 3);
        }
    }
}
