package dev.codeforge.scenarios;

import static dev.codeforge.scenarios.EndState.WORK;
import static dev.codeforge.scenarios.Scene.eventually;
import static dev.codeforge.testing.Patience.PATIENCE;
import static dev.codeforge.testing.Patience.throughout;
import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.AgentTaskStatus.HistoryEntry;
import dev.codeforge.api.Phase;
import dev.codeforge.testing.faults.Fault;
import dev.codeforge.testing.faults.Injection;
import dev.codeforge.testing.faults.WorkerProcess;
import dev.codeforge.wire.TaskEvent;
import java.nio.file.Files;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** A task is stopped, held back, tried again and timed out, each with the real worker. One pool a test. */
final class SteeringIT {
    private static final Duration WHILE = Duration.ofSeconds(3);
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
    void aQueuedTaskIsCancelledAndItsMessageIsGone() {
        scene.pool("queued", "");
        scene.task("queued", "queued", WORK, "");
        scene.awaitPhase("queued", Phase.Queued);
        scene.edit("queued", "\"cancel\":true");
        scene.awaitPhase("queued", Phase.Cancelled);
        assertThat(scene.broker().standing("queued")).isZero();
        scene.assertEndedOnce("queued", 3);
        scene.worker("queued-worker", "queued");
        throughout(WHILE, () -> scene.runs().of(scene.uid("queued")).isEmpty());
    }

    @Scenario
    void aCancelledRunEndsWithItsWholeProcessGroup() throws Exception {
        scene.pool("running", "");
        scene.worker("running-worker", "running");
        // A child that ignores SIGTERM: it is killed when its grace is over.
        scene.task(
                "running",
                "running",
                "(trap '' TERM; sh -c 'echo $$ > " + scene.file("stubborn") + "; sleep 300') &\n"
                        + "echo half done\nwait",
                "");
        scene.awaitRun("running");
        eventually(() -> Files.size(scene.file("stubborn")) > 0);
        final long child =
                Long.parseLong(Files.readString(scene.file("stubborn")).strip());
        scene.edit("running", "\"cancel\":true");
        scene.awaitPhase("running", Phase.Cancelled);
        assertThat(scene.runs().of(scene.uid("running"))).hasSize(1).noneMatch(Runs.Run::isAlive);
        assertThat(Runs.isAlive(child)).isFalse();
        final TaskEvent end = scene.broker().ends(scene.uid("running")).getFirst();
        assertThat(end.worker()).isEqualTo("running-worker");
        assertThat(end.output()).contains("half done");
        // Told as well that it is being stopped.
        scene.assertEndedOnce("running", 4);
        eventually(() -> scene.broker().standing("running") == 0);
    }

    @Scenario
    void aTaskCancelledBetweenItsWorkersFetchAndSubscriptionIsNotRun() throws Exception {
        try (Scene own = Scene.started("pool")) {
            final WorkerProcess worker = own.worker("worker", "pool");
            // The first thing that a worker does with a message is to read the task's last event.
            final Injection look =
                    own.installation().workerNats().at(1, "events.*.*.*", new Fault.Before(worker::suspend));
            own.task("task", "pool", WORK, "");
            look.awaitHit(PATIENCE);
            own.awaitPhase("task", Phase.Queued);
            own.edit("task", "\"cancel\":true");
            own.awaitPhase("task", Phase.Cancelled);
            worker.resume();
            own.task("next", "pool", WORK, "");
            own.awaitPhase("next", Phase.Succeeded);
            assertThat(own.runs().of(own.uid("task"))).isEmpty();
            own.assertEndedOnce("task", 3);
            assertThat(own.phase("task")).isEqualTo(Phase.Cancelled);
        }
    }

    @Scenario
    void aSuspendedQueuedTaskIsTakenOffTheQueueAndRunsWhenItIsResumed() throws Exception {
        scene.pool("held", "");
        scene.task("held", "held", WORK, "");
        scene.awaitPhase("held", Phase.Queued);
        scene.edit("held", "\"suspend\":true");
        scene.awaitPhase("held", Phase.Suspended);
        assertThat(scene.broker().standing("held")).isZero();
        scene.worker("held-worker", "held");
        throughout(WHILE, () -> scene.phase("held") == Phase.Suspended);
        scene.edit("held", "\"suspend\":false");
        final AgentTaskStatus status = scene.awaitPhase("held", Phase.Succeeded);
        assertThat(status.failedAttempts()).isZero();
        scene.assertDoneOnce("held", 6);
    }

    @Scenario
    void aSuspendedRunStopsAndBeginsANewAttemptWhenItIsResumed() throws Exception {
        scene.pool("paused", "");
        scene.worker("paused-worker", "paused");
        scene.task("paused", "paused", scene.hold("paused-go") + "\n" + WORK, "");
        scene.awaitRun("paused");
        scene.edit("paused", "\"suspend\":true");
        scene.awaitPhase("paused", Phase.Suspended);
        assertThat(scene.runs().of(scene.uid("paused"))).hasSize(1).noneMatch(Runs.Run::isAlive);
        eventually(() -> scene.broker().standing("paused") == 0);
        throughout(WHILE, () -> scene.phase("paused") == Phase.Suspended);
        scene.release("paused-go");
        scene.edit("paused", "\"suspend\":false");
        final AgentTaskStatus status = scene.awaitPhase("paused", Phase.Succeeded);
        assertThat(status.attempts()).isEqualTo(2);
        assertThat(status.failedAttempts()).isZero();
        assertThat(status.history())
                .extracting(HistoryEntry::outcome)
                .containsExactly(Phase.Suspended, Phase.Succeeded);
        assertThat(scene.runs().of(scene.uid("paused")))
                .extracting(Runs.Run::attempt)
                .containsExactly(1, 2);
    }

    @Scenario
    void anEndedTaskRunsAgainForEachNewValueOfRerun() throws Exception {
        scene.pool("again", "");
        scene.worker("again-worker", "again");
        scene.task("again", "again", WORK, "");
        scene.awaitPhase("again", Phase.Succeeded);
        scene.edit("again", "\"rerun\":\"1\"");
        eventually(() -> scene.status("again").rerun().equals("1") && scene.phase("again") == Phase.Succeeded);
        // The same value asks for nothing.
        scene.edit("again", "\"rerun\":\"1\"");
        throughout(WHILE, () -> scene.runs().of(scene.uid("again")).size() == 2);
        // As a GitOps tool does that takes away what a person has set; the person may set it again.
        scene.edit("again", "\"rerun\":null");
        eventually(() -> scene.status("again").rerun().isEmpty());
        scene.edit("again", "\"rerun\":\"1\"");
        eventually(() -> scene.status("again").rerun().equals("1") && scene.phase("again") == Phase.Succeeded);
        final AgentTaskStatus status = scene.status("again");
        assertThat(status.attempts()).isEqualTo(3);
        assertThat(status.history())
                .extracting(HistoryEntry::outcome)
                .containsExactly(Phase.Succeeded, Phase.Succeeded, Phase.Succeeded);
        assertThat(scene.writes("again")).isLessThanOrEqualTo(10);
    }

    @Scenario
    void aFailedAttemptIsFollowedByAnotherAfterItsBackoff() throws Exception {
        scene.pool("retried", "");
        scene.worker("retried-worker", "retried");
        scene.task(
                "retried",
                "retried",
                "[ \"$CODEFORGE_ATTEMPT\" = 3 ] || exit 1\n" + WORK,
                "retry: {maxAttempts: 3, backoffSeconds: 1}");
        final AgentTaskStatus status = scene.awaitPhase("retried", Phase.Succeeded);
        assertThat(status.attempts()).isEqualTo(3);
        assertThat(status.failedAttempts()).isEqualTo(2);
        assertThat(status.history())
                .extracting(HistoryEntry::outcome)
                .containsExactly(Phase.Failed, Phase.Failed, Phase.Succeeded);
        // One second, then two.
        for (int i = 1; i <= 2; i++) {
            assertThat(Duration.between(
                            status.history().get(i - 1).completionTime(),
                            status.history().get(i).startTime()))
                    .isGreaterThanOrEqualTo(Duration.ofSeconds(i));
        }
        assertThat(scene.runs().of(scene.uid("retried"))).hasSize(3);
        // Three for the first, three for each that follows.
        scene.assertEndedOnce("retried", 9);
    }

    @Scenario
    void aTaskThatNobodyTakesInTimeFailsAndItsMessageIsGone() {
        scene.pool("waiting", "");
        scene.task("waiting", "waiting", WORK, "queueTimeoutSeconds: 2");
        assertThat(scene.awaitPhase("waiting", Phase.Failed).error().type()).isEqualTo("QueueTimeout");
        assertThat(scene.broker().standing("waiting")).isZero();
        scene.assertEndedOnce("waiting", 3);
    }

    @Scenario
    void aPoolKeepsAsManyFinishedTasksAsItsLimitsSay() throws Exception {
        scene.pool("limited", "successfulTasksHistoryLimit: 1\nfailedTasksHistoryLimit: 0");
        scene.worker("limited-worker", "limited");
        scene.task("first", "limited", WORK, "idempotencyKey: first");
        scene.awaitPhase("first", Phase.Succeeded);
        scene.task("second", "limited", WORK, "idempotencyKey: second");
        scene.task("without-key", "limited", "exit 1", "");
        scene.task("failed", "limited", "exit 1", "idempotencyKey: failed-and-gone");
        eventually(() -> scene.taskResource("first").get() == null
                && scene.taskResource("failed").get() == null);
        assertThat(scene.phase("second")).isEqualTo(Phase.Succeeded);
        scene.awaitPhase("without-key", Phase.Failed);
        // Made anew, it is kept as the latest, and not run.
        scene.task("first", "limited", WORK, "idempotencyKey: first");
        eventually(() -> scene.taskResource("second").get() == null);
        assertThat(scene.phase("first")).isEqualTo(Phase.Succeeded);
        assertThat(scene.runs().of(scene.uid("first"))).isEmpty();
        assertThat(scene.phase("without-key")).isEqualTo(Phase.Failed);
    }

    @Scenario
    void finishedTasksAreDeletedWhenTheirPoolSaysSo() throws Exception {
        scene.pool("tidy", "taskDefaults: {ttlSecondsAfterFinished: 2}");
        scene.worker("tidy-worker", "tidy");
        scene.task("kept", "tidy", WORK, "");
        scene.task("tidied", "tidy", "exit 1", "idempotencyKey: tidied");
        eventually(() -> scene.taskResource("tidied").get() == null);
        assertThat(scene.statuses()
                        .of(scene.uid("tidied"))
                        .getLast()
                        .effective()
                        .ttlSecondsAfterFinished())
                .isEqualTo(2);
        // A manifest may have its name, and it has no key.
        scene.awaitPhase("kept", Phase.Succeeded);
        throughout(WHILE, () -> scene.taskResource("kept").get() != null);
        scene.task("tidied", "tidy", "exit 1", "idempotencyKey: tidied");
        final String again = scene.uid("tidied");
        eventually(() -> scene.taskResource("tidied").get() == null);
        assertThat(scene.runs().of(again)).isEmpty();
    }

    @Scenario
    void aTaskThatIsRestoredAfterItsNotAfterRunsNothing() throws Exception {
        scene.pool("restored", "");
        scene.worker("restored-worker", "restored");
        scene.task("restored", "restored", WORK, "notAfter: '2026-01-01T00:00:00Z'");
        assertThat(scene.awaitPhase("restored", Phase.Failed).error().type()).isEqualTo("NotAfterPassed");
        assertThat(scene.runs().of(scene.uid("restored"))).isEmpty();
        assertThat(scene.broker().stored("restored")).isZero();
        assertThat(scene.writes("restored")).isEqualTo(1);
        // What was done in time is told as done.
        final Instant limit = Instant.now().plusSeconds(20);
        final String fields = "idempotencyKey: in-time\nnotAfter: '" + limit + "'";
        scene.task("in-time", "restored", WORK, fields);
        scene.awaitPhase("in-time", Phase.Succeeded);
        scene.taskResource("in-time").delete();
        Thread.sleep(Duration.between(Instant.now(), limit).plusSeconds(1));
        scene.task("in-time", "restored", WORK, fields);
        assertThat(scene.awaitPhase("in-time", Phase.Succeeded).attempts()).isZero();
    }

    @Scenario
    void aTaskThatNobodyTookUntilItsNotAfterIsTakenOffTheQueue() {
        scene.pool("late", "");
        scene.task(
                "late",
                "late",
                WORK,
                "notAfter: '" + Instant.now().plusSeconds(6).truncatedTo(ChronoUnit.SECONDS) + "'");
        scene.awaitPhase("late", Phase.Queued);
        assertThat(scene.awaitPhase("late", Phase.Failed).error().type()).isEqualTo("NotAfterPassed");
        assertThat(scene.broker().standing("late")).isZero();
        scene.assertEndedOnce("late", 3);
    }

    @Scenario
    void aRunThatTakesTooLongIsStoppedByItsWorker() {
        scene.pool("slow", "");
        scene.worker("slow-worker", "slow");
        scene.task("slow", "slow", "sleep 300", "runTimeoutSeconds: 15");
        final AgentTaskStatus status = scene.awaitPhase("slow", Phase.Failed);
        assertThat(status.error().type()).isEqualTo("RunTimeout");
        // The operator would wait for a dead heart first.
        assertThat(Duration.between(status.startTime(), status.completionTime()))
                .isLessThan(Duration.ofSeconds(45));
        assertThat(scene.runs().of(scene.uid("slow"))).hasSize(1).noneMatch(Runs.Run::isAlive);
        scene.assertEndedOnce("slow", 3);
    }
}
