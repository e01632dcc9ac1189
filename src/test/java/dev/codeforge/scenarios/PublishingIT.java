package dev.codeforge.scenarios;

import static dev.codeforge.scenarios.EndState.WORK;
import static dev.codeforge.scenarios.Scene.eventually;
import static dev.codeforge.testing.Patience.PATIENCE;
import static dev.codeforge.testing.Patience.throughout;
import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.Phase;
import dev.codeforge.testing.faults.Fault;
import dev.codeforge.testing.faults.Injection;
import java.time.Duration;

/** An attempt's message is published once, whoever dies in the middle of it. */
final class PublishingIT {
    /** A task that is looked at meanwhile is told to be Pending, and Queued again. */
    private static final int WITH_THE_STREAM_MISSING = 6;

    private static final String TASKS = "tasks.>";

    // Scenario 1
    @Scenario
    void killedBetweenThePubAckAndTheStatusWriteItLeavesOneMessage() throws Exception {
        try (Scene scene = Scene.started("pool")) {
            killAtThePubAck(scene);
            scene.startOperator();
            scene.awaitPhase("task", Phase.Queued);
            scene.worker("worker", "pool");
            assertEndedAsUndisturbed(scene, "task");
            assertThat(scene.broker().stored("pool")).isEqualTo(1);
        }
    }

    // Scenario 2
    @Scenario
    void startedAgainAfterTheDedupeWindowItAdoptsTheOutcomeAndCountsOneAttempt() throws Exception {
        try (Scene scene = Scene.started("pool")) {
            killAtThePubAck(scene);
            scene.broker().shortenDedupeWindow("pool", Duration.ofMillis(100));
            scene.worker("worker", "pool");
            eventually(() -> scene.broker().ends(scene.uid("task")).size() == 1
                    && scene.broker().standing("pool") == 0);
            scene.startOperator();
            assertEndedAsUndisturbed(scene, "task");
            assertThat(scene.broker().stored("pool")).isEqualTo(1);
            assertThat(scene.status("task").attempts()).isEqualTo(1);
        }
    }

    // Scenario 3
    @Scenario
    void killedBetweenCreationAndPublishItPublishesOnRestartAndTheTaskCouldBeDeleted() throws Exception {
        try (Scene scene = Scene.started("pool")) {
            final Injection publish = scene.operatorNats().at(1, TASKS, new Fault.Instead(scene.operator()::kill));
            scene.task("task", "pool", WORK, "");
            publish.awaitHit(PATIENCE);
            eventually(() -> !scene.operator().isAlive());
            assertThat(scene.broker().stored("pool")).isZero();
            scene.task("deleted", "pool", WORK, "");
            scene.taskResource("deleted").delete();
            assertThat(scene.taskResource("deleted").get()).isNull();
            scene.startOperator();
            scene.worker("worker", "pool");
            assertEndedAsUndisturbed(scene, "task");
            assertThat(scene.broker().stored("pool")).isEqualTo(1);
            assertThat(scene.runs().of(scene.uid("deleted"))).isEmpty();
        }
    }

    // Scenario 9
    @Scenario
    void aBrokerKilledBeforeItsPubAckGetsTheMessageOnceWhenItIsBack() throws Exception {
        try (Scene scene = Scene.started("pool")) {
            final Injection ack = scene.operatorNats()
                    .at(1, TASKS, new Fault.AnswerLost(scene.installation().nats()::kill));
            scene.task("task", "pool", WORK, "");
            ack.awaitHit(PATIENCE);
            eventually(() -> scene.poolCondition("pool", "QueueReady").equals("QueueUnavailable"));
            // Longer than an acknowledgement is waited for.
            throughout(Duration.ofSeconds(7), () -> scene.phase("task") != Phase.Queued);
            scene.installation().nats().start();
            scene.awaitPhase("task", Phase.Queued);
            scene.worker("worker", "pool");
            // Pending is told besides, when the task was looked at in the outage.
            assertEndedAsUndisturbed(scene, "task", 4);
            assertThat(scene.broker().stored("pool")).isEqualTo(1);
        }
    }

    // Scenario 11
    @Scenario
    void aStreamThatWasEmptiedIsFilledAgainWithWhatHasNotEnded() throws Exception {
        try (Scene scene = withOneEndedAndOneQueued()) {
            scene.broker().purgePool("pool");
            assertTheQueuedOneAloneComesAgain(scene, 3, 4);
        }
    }

    // Scenario 11
    @Scenario
    void aStreamThatWasDeletedIsMadeAgainWithWhatHasNotEnded() throws Exception {
        try (Scene scene = withOneEndedAndOneQueued()) {
            scene.broker().deletePool("pool");
            assertTheQueuedOneAloneComesAgain(scene, 1, WITH_THE_STREAM_MISSING);
        }
    }

    @Scenario
    void aBrokerLostWithItsDiskGetsAgainWhatHasNotEnded() throws Exception {
        try (Scene scene = withOneEndedAndOneQueued()) {
            scene.task("once", "pool", WORK, "delivery: AtMostOnce");
            scene.awaitPhase("once", Phase.Queued);
            scene.installation().nats().kill();
            scene.installation().nats().startEmpty();
            assertTheQueuedOneAloneComesAgain(scene, 1, WITH_THE_STREAM_MISSING);
            // Nobody knows what the lost events said of it.
            assertThat(scene.awaitPhase("once", Phase.Failed).error().type()).isEqualTo("MayHaveRun");
            assertThat(scene.runs().of(scene.uid("once"))).isEmpty();
        }
    }

    @Scenario
    void aDuplicateWhoseMessageWasPurgedIsPublishedUnderAnotherId() throws Exception {
        try (Scene scene = Scene.started("pool")) {
            killAtThePubAck(scene);
            scene.broker().purgePool("pool");
            scene.startOperator();
            scene.awaitPhase("task", Phase.Queued);
            assertThat(scene.broker().standing("pool")).isEqualTo(1);
            scene.worker("worker", "pool");
            assertEndedAsUndisturbed(scene, "task");
        }
    }

    private static void killAtThePubAck(Scene scene) {
        final Injection ack = scene.operatorNats().at(1, TASKS, new Fault.AnswerLost(scene.operator()::kill));
        scene.task("task", "pool", WORK, "");
        ack.awaitHit(PATIENCE);
        eventually(() -> !scene.operator().isAlive());
        assertThat(scene.phase("task")).isNull();
        assertThat(scene.broker().stored("pool")).isEqualTo(1);
    }

    private static Scene withOneEndedAndOneQueued() throws Exception {
        final Scene scene = Scene.started("pool");
        final var worker = scene.worker("worker", "pool");
        scene.task("ended", "pool", WORK, "");
        scene.awaitPhase("ended", Phase.Succeeded);
        worker.kill();
        scene.task("task", "pool", WORK, "");
        scene.awaitPhase("task", Phase.Queued);
        return scene;
    }

    private static void assertTheQueuedOneAloneComesAgain(Scene scene, long stored, int writes) throws Exception {
        // A sweep, and the time that it takes on a busy machine.
        org.awaitility.Awaitility.await()
                .atMost(PATIENCE)
                .ignoreExceptions()
                .until(() -> scene.broker().standing("pool") == 1);
        scene.worker("worker", "pool");
        assertEndedAsUndisturbed(scene, "task", writes);
        assertThat(scene.broker().stored("pool")).isEqualTo(stored);
        assertThat(scene.runs().of(scene.uid("ended"))).hasSize(1);
        assertThat(scene.statuses().ends(scene.uid("ended"))).isEqualTo(1);
    }

    private static void assertEndedAsUndisturbed(Scene scene, String task) throws Exception {
        assertEndedAsUndisturbed(scene, task, 3);
    }

    private static void assertEndedAsUndisturbed(Scene scene, String task, int writes) throws Exception {
        assertThat(EndState.of(scene.awaitPhase(task, Phase.Succeeded))).isEqualTo(EndState.undisturbed());
        scene.assertDoneOnce(task, writes);
    }
}
