package dev.codeforge.scenarios;

import static dev.codeforge.scenarios.EndState.WORK;
import static dev.codeforge.scenarios.Scene.eventually;
import static dev.codeforge.testing.Patience.throughout;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.codeforge.api.Phase;
import dev.codeforge.testing.ScriptedWorker;
import dev.codeforge.testing.faults.WorkerProcess;
import dev.codeforge.wire.TaskEvent;
import java.time.Duration;
import java.util.List;

/** Tasks are deleted at once in every phase, and what was theirs is gone afterwards, with NATS up or down. */
final class DeletionIT {
    private static final Duration AT_ONCE = Duration.ofSeconds(20);
    private static final Duration WHILE = Duration.ofSeconds(3);
    private static final List<String> TASKS = List.of("pending", "queued", "running", "retrying", "suspended", "ended");

    @Scenario
    void aTaskIsDeletedAtOnceInEachPhase() throws Exception {
        try (Scene scene = withATaskInEachPhase()) {
            TASKS.forEach(task -> deleteAtOnce(scene, task));
            assertNothingIsLeft(scene);
        }
    }

    @Scenario
    void aTaskIsDeletedAtOnceInEachPhaseWhileNatsIsAway() throws Exception {
        try (Scene scene = withATaskInEachPhase()) {
            scene.installation().nats().kill();
            TASKS.forEach(task -> deleteAtOnce(scene, task));
            scene.installation().nats().start();
            assertNothingIsLeft(scene);
        }
    }

    // Scenario 4
    @Scenario
    void aTaskDeletedWhileNatsIsAwayAndItsOperatorDownIsNotRunAndItsMessageIsSwept() throws Exception {
        try (Scene scene = Scene.started("pool")) {
            scene.task("task", "pool", WORK, "");
            scene.awaitPhase("task", Phase.Queued);
            scene.installation().nats().kill();
            deleteAtOnce(scene, "task");
            scene.operator().kill();
            scene.installation().nats().start();
            scene.startOperator();
            eventually(() -> scene.broker().standing("pool") == 0);
            scene.worker("worker", "pool");
            throughout(WHILE, () -> scene.runs().all().isEmpty());
            assertThat(scene.broker().ends(scene.uid("task")))
                    .extracting(TaskEvent::kind)
                    .containsExactly(TaskEvent.Kind.CANCELLED);
        }
    }

    // Scenario 4
    @Scenario
    void aLateResultOfADeletedTaskIsDropped() throws Exception {
        try (Scene scene = Scene.started("pool");
                ScriptedWorker late = new ScriptedWorker(
                        scene.installation().nats(), scene.installation().namespace(), "pool")) {
            scene.task("task", "pool", WORK, "");
            late.take();
            scene.awaitPhase("task", Phase.Queued);
            deleteAtOnce(scene, "task");
            eventually(() -> scene.broker().standing("pool") == 0);
            late.write(TaskEvent.Kind.RUNNING);
            late.write(TaskEvent.Kind.COMPLETED);
            eventually(() -> scene.broker().unacknowledgedEvents() == 0);
            throughout(WHILE, () -> scene.taskResource("task").get() == null);
            // And the operator works on.
            scene.task("next", "pool", WORK, "");
            scene.worker("worker", "pool");
            scene.awaitPhase("next", Phase.Succeeded);
        }
    }

    @Scenario
    void anOutsideMessageSurvivesTheDeletionOfTheTaskThatItIsNamedAfter() throws Exception {
        try (Scene scene = Scene.started("pool")) {
            scene.task("task", "pool", WORK, "");
            scene.awaitPhase("task", Phase.Queued);
            scene.broker().publishOutside(scene.subject("pool"), "task", WORK);
            deleteAtOnce(scene, "task");
            eventually(() -> scene.broker().standing("pool") == 1);
            throughout(WHILE, () -> scene.broker().standing("pool") == 1);
            scene.worker("worker", "pool");
            eventually(() -> scene.broker().ends("task").size() == 1);
            assertThat(scene.runs().all()).extracting(Runs.Run::task).containsExactly("task");
        }
    }

    /** One task for each of {@link #TASKS}, all but one on the pool "pool", whose only worker is busy. */
    private static Scene withATaskInEachPhase() throws Exception {
        final Scene scene = Scene.started("pool", "held");
        final WorkerProcess worker = scene.worker("worker", "pool");
        scene.task("ended", "pool", WORK, "");
        scene.awaitPhase("ended", Phase.Succeeded);
        scene.task("retrying", "pool", "exit 1", "retry: {maxAttempts: 2, backoffSeconds: 3600}");
        scene.awaitPhase("retrying", Phase.Retrying);
        scene.task("suspended", "held", WORK, "");
        scene.awaitPhase("suspended", Phase.Queued);
        scene.edit("suspended", "\"suspend\":true");
        scene.awaitPhase("suspended", Phase.Suspended);
        scene.task("running", "pool", "sleep 300", "");
        scene.awaitRun("running");
        scene.task("queued", "pool", WORK, "");
        scene.awaitPhase("queued", Phase.Queued);
        scene.task("pending", "none", WORK, "");
        scene.awaitPhase("pending", Phase.Pending);
        assertThat(worker.isAlive()).isTrue();
        return scene;
    }

    private static void deleteAtOnce(Scene scene, String task) {
        scene.taskResource(task).delete();
        await().atMost(AT_ONCE).until(() -> scene.taskResource(task).get() == null);
    }

    /** The message of each task is gone, the run has ended, and none of them ever runs. */
    private static void assertNothingIsLeft(Scene scene) throws Exception {
        eventually(() -> scene.broker().standing("pool") == 0);
        assertThat(scene.broker().standing("held")).isZero();
        eventually(() -> scene.runs().of(scene.uid("running")).stream().noneMatch(Runs.Run::isAlive));
        // The worker is free, and takes what comes next.
        scene.task("next", "pool", WORK, "");
        scene.awaitPhase("next", Phase.Succeeded);
        for (final String task : List.of("pending", "queued", "suspended")) {
            assertThat(scene.runs().of(scene.uid(task))).as(task).isEmpty();
        }
        assertThat(scene.runs().of(scene.uid("running"))).hasSize(1);
        assertThat(scene.runs().of(scene.uid("retrying"))).hasSize(1);
        assertThat(scene.broker().ends(scene.uid("running")))
                .extracting(TaskEvent::kind)
                .containsExactly(TaskEvent.Kind.CANCELLED);
        assertThat(scene.broker().ends(scene.uid("ended"))).hasSize(1);
    }
}
