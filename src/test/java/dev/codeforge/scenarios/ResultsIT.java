package dev.codeforge.scenarios;

import static dev.codeforge.scenarios.EndState.WORK;
import static dev.codeforge.scenarios.Scene.eventually;
import static dev.codeforge.testing.Patience.PATIENCE;
import static dev.codeforge.testing.Patience.throughout;
import static dev.codeforge.testing.faults.ApiRequest.taskStatus;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import dev.codeforge.testing.ScriptedWorker;
import dev.codeforge.testing.faults.Fault;
import dev.codeforge.testing.faults.Injection;
import dev.codeforge.testing.faults.WorkerProcess;
import dev.codeforge.wire.Subjects;
import dev.codeforge.wire.TaskEvent;
import dev.codeforge.wire.TaskRef;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** What a run came to is told once and to its own task, whoever is lost before it is written down. */
final class ResultsIT {
    private static final Duration WHILE = Duration.ofSeconds(3);

    // Scenario 5
    @Scenario
    void aResultOfADeletedTaskLeavesItsNamesakeUntouched() throws Exception {
        try (Scene scene = Scene.started("pool");
                ScriptedWorker former = new ScriptedWorker(
                        scene.installation().nats(), scene.installation().namespace(), "pool")) {
            scene.task("task", "pool", WORK, "");
            former.take();
            former.write(TaskEvent.Kind.RUNNING);
            scene.awaitPhase("task", Phase.Running);
            scene.taskResource("task").delete();
            scene.task("task", "pool", WORK, "");
            scene.awaitPhase("task", Phase.Queued);
            // A worker that does not know that it is fenced.
            former.write(TaskEvent.Kind.COMPLETED);
            eventually(() -> scene.broker().unacknowledgedEvents() == 0);
            throughout(WHILE, () -> scene.phase("task") == Phase.Queued);
            scene.worker("worker", "pool");
            assertThat(EndState.of(scene.awaitPhase("task", Phase.Succeeded))).isEqualTo(EndState.undisturbed());
            scene.assertDoneOnce("task", 6);
        }
    }

    // Scenario 8
    @Scenario
    void aResultIsAcknowledgedOnlyWhenItsStatusIsStored() throws Exception {
        final String[] answers = {"409", "429", "500", "silence"};
        try (Scene scene = Scene.started("pool")) {
            scene.worker("worker", "pool", answers.length);
            for (final String answer : answers) {
                scene.task("task-" + answer, "pool", scene.hold("go") + "\n" + WORK, "");
            }
            for (final String answer : answers) {
                scene.awaitRun("task-" + answer);
            }
            eventually(() -> scene.broker().unacknowledgedEvents() == 0);
            final List<Injection> faults = new ArrayList<>();
            for (final String answer : answers) {
                final Fault fault =
                        answer.equals("silence") ? new Fault.Silence() : new Fault.Answer(Integer.parseInt(answer));
                faults.add(scene.kubernetes().each(taskStatus("task-" + answer), fault));
            }
            scene.release("go");
            for (final Injection fault : faults) {
                fault.awaitHit(PATIENCE);
            }
            // The status behind the silence is stored: a sweep that sees it acknowledges its event.
            throughout(WHILE, () -> scene.broker().unacknowledgedEvents() >= answers.length - 1);
            faults.forEach(Injection::close);
            for (final String answer : answers) {
                final AgentTaskStatus status = scene.awaitPhase("task-" + answer, Phase.Succeeded);
                assertThat(EndState.of(status)).as(answer).isEqualTo(EndState.undisturbed());
                // A write that was done but not answered is done again.
                scene.assertDoneOnce("task-" + answer, 6);
            }
            eventually(() -> scene.broker().unacknowledgedEvents() == 0);
        }
    }

    // Scenario 10
    @Scenario
    void aKilledWorkersTaskIsRunByAnother() throws Exception {
        try (Scene scene = Scene.started("pool")) {
            final WorkerProcess lost = scene.worker("lost", "pool");
            scene.task("task", "pool", scene.hold("go") + "\n" + WORK, "");
            scene.awaitRun("task");
            lost.kill();
            scene.worker("worker", "pool");
            eventually(() -> scene.runs().of(scene.uid("task")).size() == 2);
            scene.release("go");
            final AgentTaskStatus status = scene.awaitPhase("task", Phase.Succeeded);
            assertThat(EndState.of(status, "deliveries")).isEqualTo(EndState.undisturbed("deliveries"));
            assertThat(status.deliveries()).isEqualTo(2);
            scene.assertEndedOnce("task", 4);
        }
    }

    // Scenario 10
    @Scenario
    void aSlowWorkersTaskIsNotGivenToAnotherWhileItsHeartGoes() throws Exception {
        try (Scene scene = Scene.started("pool")) {
            scene.worker("worker", "pool");
            scene.task("task", "pool", scene.hold("go") + "\n" + WORK, "");
            scene.awaitRun("task");
            scene.worker("idle", "pool");
            throughout(
                    Duration.ofSeconds(2L * Scene.ACK_WAIT + 2),
                    () -> scene.runs().of(scene.uid("task")).size() == 1);
            scene.release("go");
            assertThat(EndState.of(scene.awaitPhase("task", Phase.Succeeded))).isEqualTo(EndState.undisturbed());
            scene.assertDoneOnce("task", 3);
        }
    }

    // Scenario 10
    @Scenario
    void aTaskThatLosesAllItsWorkersFailsVisibly() throws Exception {
        try (Scene scene = Scene.started()) {
            scene.pool("pool", "maxDeliveries: 2", "");
            scene.task("task", "pool", scene.hold("never"), "");
            for (int delivery = 1; delivery <= 2; delivery++) {
                final int begun = delivery;
                final WorkerProcess lost = scene.worker("lost-" + delivery, "pool");
                eventually(() -> scene.status("task").deliveries() == begun
                        && scene.runs().of(scene.uid("task")).size() == begun);
                lost.kill();
            }
            scene.worker("worker", "pool");
            final AgentTaskStatus status = scene.awaitPhase("task", Phase.Failed);
            assertThat(status.error().type()).isEqualTo("MaxDeliveriesExceeded");
            assertThat(status.deliveries()).isEqualTo(2);
            assertThat(scene.runs().of(scene.uid("task"))).hasSize(2);
            assertThat(scene.broker().deadLetters("pool")).hasSize(1);
            scene.assertEndedOnce("task", 4);
            eventually(() -> scene.broker().standing("pool") == 0);
        }
    }

    @Scenario
    void anAtMostOnceTaskThatLosesItsWorkerFailsAndIsNeverRunAgain() throws Exception {
        try (Scene scene = Scene.started("pool")) {
            final WorkerProcess lost = scene.worker("lost", "pool");
            scene.task("task", "pool", scene.hold("never"), "delivery: AtMostOnce");
            scene.awaitRun("task");
            lost.kill();
            scene.worker("worker", "pool");
            assertThat(scene.awaitPhase("task", Phase.Failed).error().type()).isEqualTo("MayHaveRun");
            scene.assertDoneOnce("task", 3);
        }
    }

    @Scenario
    void anUndisturbedTaskTakesThreeWritesAndOnceAllIsSettledNothingIsWritten() throws Exception {
        try (Scene scene = Scene.started("pool")) {
            scene.worker("worker", "pool");
            scene.task("task", "pool", WORK, "");
            scene.awaitPhase("task", Phase.Succeeded);
            scene.assertDoneOnce("task", 3);
            // The pool's replicas and their count in its status go back to zero.
            eventually(() -> scene.poolCondition("pool", "Ready").equals("ScaledToZero"));
            await().atMost(PATIENCE).during(Duration.ofSeconds(3)).until(() -> scene.kubernetes()
                    .writes()
                    .getLast()
                    .time()
                    .isBefore(Instant.now().minusSeconds(3)));
            final int settled = scene.kubernetes().writes().size();
            throughout(Duration.ofSeconds(8), () -> scene.kubernetes().writes().size() == settled);
        }
    }

    @Scenario
    void theResultOfTheNextAttemptIsThereBeforeThatAttemptsStatus() throws Exception {
        try (Scene scene = Scene.started("pool")) {
            final Injection second =
                    scene.operatorNats().at(2, "tasks.>", new Fault.AnswerLost(scene.operator()::kill));
            scene.worker("worker", "pool");
            scene.task(
                    "task",
                    "pool",
                    "[ \"$CODEFORGE_ATTEMPT\" = 2 ] || exit 1\n" + WORK,
                    "retry: {maxAttempts: 2, backoffSeconds: 1}");
            second.awaitHit(PATIENCE);
            eventually(() -> scene.broker().ends(scene.uid("task")).size() == 2);
            assertThat(scene.phase("task")).isEqualTo(Phase.Retrying);
            scene.startOperator();
            final AgentTaskStatus status = scene.awaitPhase("task", Phase.Succeeded);
            assertThat(status.attempts()).isEqualTo(2);
            assertThat(status.failedAttempts()).isEqualTo(1);
            assertThat(status.history())
                    .extracting(AgentTaskStatus.HistoryEntry::outcome)
                    .containsExactly(Phase.Failed, Phase.Succeeded);
            assertThat(scene.runs().of(scene.uid("task"))).hasSize(2);
            assertThat(scene.broker().stored("pool")).isEqualTo(2);
            scene.assertEndedOnce("task", 6);
        }
    }

    @Scenario
    void aRunWhoseStreamIsLostGoesOnAndIsGivenToNobodyElse() throws Exception {
        try (Scene scene = Scene.started("pool")) {
            scene.worker("worker", "pool");
            scene.task("task", "pool", scene.hold("go") + "\n" + WORK, "");
            scene.awaitRun("task");
            final long asked = scene.operatorNats().published(Subjects.holder(new TaskRef("*", "*", "*")));
            scene.broker().deletePool("pool");
            // The sweep misses the message and asks who has it.
            eventually(() -> scene.operatorNats().published(Subjects.holder(new TaskRef("*", "*", "*"))) > asked);
            scene.worker("idle", "pool");
            throughout(WHILE, () -> scene.broker().stored("pool") == 0 && scene.phase("task") == Phase.Running);
            scene.release("go");
            assertThat(EndState.of(scene.awaitPhase("task", Phase.Succeeded))).isEqualTo(EndState.undisturbed());
            scene.assertDoneOnce("task", 3);
            assertThat(scene.broker().stored("pool")).isZero();
        }
    }

    @Scenario
    void aRunWhoseEventsAgedOutEndsAsIfTheyWereThere() throws Exception {
        try (Scene scene = Scene.started("pool")) {
            scene.worker("worker", "pool");
            scene.task("task", "pool", scene.hold("go") + "\n" + WORK, "");
            scene.awaitRun("task");
            scene.broker().purgeEvents(scene.uid("task"));
            // Past a heartbeat, at which the holder reads its last event.
            throughout(
                    Duration.ofSeconds(Scene.ACK_WAIT + 1),
                    () -> scene.phase("task") == Phase.Running
                            && scene.runs().all().size() == 1);
            scene.release("go");
            assertThat(EndState.of(scene.awaitPhase("task", Phase.Succeeded))).isEqualTo(EndState.undisturbed());
            scene.assertDoneOnce("task", 3);
            assertThat(scene.broker().stored("pool")).isEqualTo(1);
        }
    }
}
