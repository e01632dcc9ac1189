package dev.codeforge.scenarios;

import static dev.codeforge.scenarios.EndState.WORK;
import static dev.codeforge.scenarios.Scene.eventually;
import static dev.codeforge.testing.Patience.PATIENCE;
import static dev.codeforge.testing.Patience.throughout;
import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import dev.codeforge.testing.faults.Fault;
import dev.codeforge.testing.faults.Injection;
import dev.codeforge.wire.TaskEvent;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** Work that is named by an idempotencyKey is paid once, however often and by whomever it is asked for. */
final class IdempotencyIT {
    private static final Duration WHILE = Duration.ofSeconds(3);
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

    @Scenario
    void ofTwoTasksWithOneKeyOneRunsAndTheOtherAdopts() throws Exception {
        final String work = scene.hold("twins") + "\n" + WORK;
        scene.task("first", "pool", work, "idempotencyKey: twins");
        scene.awaitRun("first");
        scene.task("second", "pool", work, "idempotencyKey: twins");
        eventually(() -> scene.reason("second").equals("DuplicateOf"));
        scene.release("twins");
        scene.awaitPhase("first", Phase.Succeeded);
        assertAdopted("second", "first");
        scene.assertDoneOnce("first", 3);
    }

    @Scenario
    void twoTasksWithOneKeyCreatedAtOnceRunOnce() throws Exception {
        final List<String> names =
                Stream.of("a", "b", "c", "d").map("rush-"::concat).toList();
        names.parallelStream().forEach(name -> scene.task(name, "pool", "sleep 1\n" + WORK, "idempotencyKey: rush"));
        for (final String name : names) {
            scene.awaitPhase(name, Phase.Succeeded);
        }
        assertThat(names.stream()
                        .mapToInt(name -> scene.runs().of(scene.uid(name)).size())
                        .sum())
                .isEqualTo(1);
    }

    @Scenario
    void whenTheFirstFailsTheSecondTakesTheFailureOver() throws Exception {
        final String work = scene.hold("in-vain") + "; exit 1";
        scene.task("in-vain", "pool", work, "idempotencyKey: in-vain");
        scene.awaitRun("in-vain");
        scene.task("same", "pool", work, "idempotencyKey: in-vain");
        eventually(() -> scene.reason("same").equals("DuplicateOf"));
        scene.release("in-vain");
        scene.awaitPhase("in-vain", Phase.Failed);
        assertAdopted("same", "in-vain", Phase.Failed);
    }

    @Scenario
    void whenTheFirstFailsTheSecondRunsIfItsSpecSaysSo() throws Exception {
        // A prompt that fails the first time that it is run.
        final String work = "mkdir " + scene.file("once") + " && { " + scene.hold("failing") + "; exit 1; }\n" + WORK;
        scene.task("failing", "pool", work, "idempotencyKey: failing");
        scene.awaitRun("failing");
        scene.task("heir", "pool", work, "idempotencyKey: failing\nrepeatPolicy: OnFailure");
        eventually(() -> scene.reason("heir").equals("DuplicateOf"));
        scene.release("failing");
        scene.awaitPhase("failing", Phase.Failed);
        scene.awaitPhase("heir", Phase.Succeeded);
        assertThat(scene.runs().of(scene.uid("failing"))).hasSize(1);
        scene.assertDoneOnce("heir", 4);
        // And the success is what stands under the key.
        scene.task("after-the-heir", "pool", work, "idempotencyKey: failing");
        assertAdopted("after-the-heir", "heir");
    }

    @Scenario
    void whenTheKeysOwnerIsDeletedInTheMiddleOfItsRunTheOtherRuns() throws Exception {
        final String work = scene.hold("orphaned") + "\n" + WORK;
        scene.task("owner", "pool", work, "idempotencyKey: orphaned");
        scene.awaitRun("owner");
        scene.task("waiter", "pool", work, "idempotencyKey: orphaned");
        eventually(() -> scene.reason("waiter").equals("DuplicateOf"));
        scene.taskResource("owner").delete();
        eventually(() -> scene.runs().of(scene.uid("waiter")).size() == 1);
        assertThat(scene.runs().of(scene.uid("owner"))).hasSize(1);
        eventually(() -> scene.runs().of(scene.uid("owner")).stream().noneMatch(Runs.Run::isAlive));
        scene.release("orphaned");
        scene.awaitPhase("waiter", Phase.Succeeded);
        assertThat(scene.broker().ends(scene.uid("owner")))
                .extracting(TaskEvent::kind)
                .containsExactly(TaskEvent.Kind.CANCELLED);
        scene.assertDoneOnce("waiter", 4);
        scene.task("later", "pool", work, "idempotencyKey: orphaned");
        assertAdopted("later", "waiter");
    }

    @Scenario
    void aTaskAppliedAgainAfterItsTimeToLiveAdoptsItsOwnOutcome() throws Exception {
        final String fields = "idempotencyKey: fleeting\nttlSecondsAfterFinished: 1";
        scene.task("fleeting", "pool", WORK, fields);
        final String first = scene.uid("fleeting");
        eventually(() -> scene.taskResource("fleeting").get() == null);
        assertThat(scene.runs().of(first)).hasSize(1);
        scene.task("fleeting", "pool", WORK, fields);
        assertThat(scene.uid("fleeting")).isNotEqualTo(first);
        eventually(() -> scene.statuses().ends(scene.uid("fleeting")) == 1);
        assertThat(scene.statuses().of(scene.uid("fleeting")).getLast().phase()).isEqualTo(Phase.Succeeded);
        eventually(() -> scene.taskResource("fleeting").get() == null);
        assertThat(scene.runs().of(scene.uid("fleeting"))).isEmpty();
    }

    @Scenario
    void aFailureThatItsTimeToLiveTookIsNotPaidForAgain() throws Exception {
        final String fields = "idempotencyKey: fleeting-failure\nttlSecondsAfterFinished: 1";
        scene.task("fleeting-failure", "pool", "exit 1", fields);
        final String first = scene.uid("fleeting-failure");
        eventually(() -> scene.taskResource("fleeting-failure").get() == null);
        assertThat(scene.runs().of(first)).hasSize(1);
        scene.task("fleeting-failure", "pool", "exit 1", fields);
        final String second = scene.uid("fleeting-failure");
        eventually(() -> scene.statuses().ends(second) == 1);
        eventually(() -> scene.taskResource("fleeting-failure").get() == null);
        assertThat(scene.statuses().of(second).getLast().phase()).isEqualTo(Phase.Failed);
        assertThat(scene.runs().of(second)).isEmpty();
    }

    @Scenario
    void aTaskThatSomebodyCancelledIsNotRunBecauseAToolMakesItAnew() throws Exception {
        final String work = scene.hold("unwanted") + "\n" + WORK;
        scene.task("unwanted", "pool", work, "idempotencyKey: unwanted");
        scene.awaitRun("unwanted");
        scene.edit("unwanted", "\"cancel\": true");
        scene.awaitPhase("unwanted", Phase.Cancelled);
        scene.taskResource("unwanted").delete();
        scene.task("unwanted", "pool", work, "idempotencyKey: unwanted");
        assertThat(assertAdopted("unwanted", "unwanted", Phase.Cancelled)
                        .error()
                        .type())
                .isEqualTo("Cancelled");
        scene.release("unwanted");
        // Whoever wants it after all says so.
        scene.edit("unwanted", "\"rerun\": \"1\"");
        scene.awaitPhase("unwanted", Phase.Succeeded);
        assertThat(scene.runs().of(scene.uid("unwanted"))).hasSize(1);
    }

    @Scenario
    void aTaskThatWasCancelledBeforeItRanIsNotRunAnewEither() throws Exception {
        scene.pool("no-workers", "");
        scene.task("never", "no-workers", WORK, "idempotencyKey: never");
        scene.awaitPhase("never", Phase.Queued);
        scene.edit("never", "\"cancel\": true");
        scene.awaitPhase("never", Phase.Cancelled);
        scene.taskResource("never").delete();
        scene.task("never", "no-workers", WORK, "idempotencyKey: never");
        assertAdopted("never", "never", Phase.Cancelled);
    }

    @Scenario
    void aTaskThatNoWorkerTookIsWorkStillToBeDone() throws Exception {
        scene.pool("later", "");
        scene.task("unserved", "later", WORK, "idempotencyKey: unserved\nqueueTimeoutSeconds: 1");
        assertThat(scene.awaitPhase("unserved", Phase.Failed).error().type()).isEqualTo("QueueTimeout");
        scene.taskResource("unserved").delete();
        scene.worker("later", "later");
        scene.task("unserved", "later", WORK, "idempotencyKey: unserved");
        scene.awaitPhase("unserved", Phase.Succeeded);
    }

    @Scenario
    void aRerunOfATakenOverFailureRuns() throws Exception {
        final String work = "[ -e " + scene.file("mended") + " ] || exit 1\n" + WORK;
        scene.task("broken", "pool", work, "idempotencyKey: broken");
        scene.awaitPhase("broken", Phase.Failed);
        scene.task("repeated", "pool", work, "idempotencyKey: broken");
        assertAdopted("repeated", "broken", Phase.Failed);
        scene.release("mended");
        scene.edit("repeated", "\"rerun\": \"1\"");
        scene.awaitPhase("repeated", Phase.Succeeded);
        // And the success is what stands under the key.
        scene.task("third", "pool", work, "idempotencyKey: broken");
        assertAdopted("third", "repeated");
    }

    @Scenario
    void aClusterRestoredFromGitPaysNothingTwice() throws Exception {
        final List<String> names =
                Stream.of("a", "b", "c").map("restored-"::concat).toList();
        for (final String name : names) {
            scene.task(name, "pool", WORK, "idempotencyKey: " + name);
        }
        scene.task("restored-failed", "pool", "exit 1", "idempotencyKey: restored-failed");
        for (final String name : names) {
            scene.awaitPhase(name, Phase.Succeeded);
        }
        scene.awaitPhase("restored-failed", Phase.Failed);
        for (final String name : names) {
            scene.taskResource(name).delete();
        }
        scene.taskResource("restored-failed").delete();
        // Git knows specs, no statuses.
        for (final String name : names) {
            scene.task(name, "pool", WORK, "idempotencyKey: " + name);
        }
        scene.task("restored-failed", "pool", "exit 1", "idempotencyKey: restored-failed");
        for (final String name : names) {
            assertAdopted(name, name);
        }
        assertAdopted("restored-failed", "restored-failed", Phase.Failed);
    }

    @Scenario
    void whatTheLedgerHasLostTheTasksThatAreThereTell() throws Exception {
        try (Scene own = Scene.started("pool")) {
            own.worker("worker", "pool");
            own.task("done", "pool", WORK, "idempotencyKey: done");
            own.task("failed", "pool", "exit 1", "idempotencyKey: failed");
            own.awaitPhase("done", Phase.Succeeded);
            own.awaitPhase("failed", Phase.Failed);
            own.operator().kill();
            own.broker().loseLedger();
            own.startOperator();
            eventually(() -> own.broker().ledgerKeys() == 2);
            own.taskResource("failed").delete();
            own.task("failed", "pool", "exit 1", "idempotencyKey: failed");
            own.awaitPhase("failed", Phase.Failed);
            assertThat(own.runs().of(own.uid("failed"))).isEmpty();
        }
    }

    @Scenario
    void aKeyUsedAgainForAnotherPromptIsAnError() throws Exception {
        scene.task("one", "pool", WORK, "idempotencyKey: reused");
        scene.awaitPhase("one", Phase.Succeeded);
        scene.task("other", "pool", WORK + " and more", "idempotencyKey: reused");
        assertThat(scene.awaitPhase("other", Phase.Failed).error().type()).isEqualTo("IdempotencyKeyReused");
        throughout(WHILE, () -> scene.runs().of(scene.uid("other")).isEmpty());
        assertThat(scene.writes("other")).isLessThanOrEqualTo(3);
    }

    @Scenario
    void anOutcomeUnderTheKeyOfAnEarlierVersionIsAdopted() throws Exception {
        scene.task("before", "pool", WORK, "idempotencyKey: upgraded");
        scene.awaitPhase("before", Phase.Succeeded);
        scene.broker().makeKeyOfAnEarlierVersion("upgraded");
        scene.task("after", "pool", WORK, "idempotencyKey: upgraded");
        assertAdopted("after", "before");
    }

    @Scenario
    void whatAnotherClusterClaimedUnderTheKeyOfAnEarlierVersionIsLeftToIt() throws Exception {
        final String its = UUID.randomUUID().toString();
        scene.broker().claimOfAnEarlierVersion("shared", its);
        scene.task("ours", "pool", WORK, "idempotencyKey: shared");
        scene.awaitPhase("ours", Phase.Succeeded);
        scene.assertDoneOnce("ours", 3);
        assertThat(scene.broker().events(its)).isEmpty();
    }

    @Scenario
    void anOperatorKilledBetweenClaimAndPublishGoesOnWithItsOwnClaim() throws Exception {
        try (Scene own = Scene.started("pool")) {
            final Injection publish = own.operatorNats().at(1, "tasks.>", new Fault.Instead(own.operator()::kill));
            own.task("task", "pool", WORK, "idempotencyKey: claimed");
            publish.awaitHit(PATIENCE);
            eventually(() -> !own.operator().isAlive());
            own.startOperator();
            own.worker("worker", "pool");
            assertThat(EndState.of(own.awaitPhase("task", Phase.Succeeded))).isEqualTo(EndState.undisturbed());
            own.assertDoneOnce("task", 3);
        }
    }

    @Scenario
    void anOperatorKilledBetweenTheRecordOfAFailureAndItsStatusTellsThatFailure() throws Exception {
        try (Scene own = Scene.started("pool")) {
            // The claim is the first.
            final Injection record =
                    own.operatorNats().at(2, "$KV.ledger.>", new Fault.AnswerLost(own.operator()::kill));
            own.worker("worker", "pool");
            own.task("task", "pool", "exit 1", "idempotencyKey: killed");
            record.awaitHit(PATIENCE);
            eventually(() -> !own.operator().isAlive());
            own.startOperator();
            assertThat(own.awaitPhase("task", Phase.Failed).attempts()).isEqualTo(1);
            assertThat(own.runs().of(own.uid("task"))).hasSize(1);
            own.taskResource("task").delete();
            own.task("task", "pool", "exit 1", "idempotencyKey: killed");
            assertThat(own.awaitPhase("task", Phase.Failed).attempts()).isZero();
        }
    }

    /** It has the outcome of the other, which was not run again for it. */
    private static void assertAdopted(String task, String owner) {
        assertThat(assertAdopted(task, owner, Phase.Succeeded).result().output())
                .contains("done");
    }

    private static AgentTaskStatus assertAdopted(String task, String owner, Phase phase) {
        final AgentTaskStatus status = scene.awaitPhase(task, phase);
        assertThat(status.conditions())
                .anyMatch(condition -> condition.getType().equals("Finished")
                        && condition.getReason().equals("Adopted")
                        && condition.getMessage().contains("AgentTask " + owner));
        assertThat(scene.runs().of(scene.uid(task))).isEmpty();
        assertThat(scene.broker().events(scene.uid(task))).isEmpty();
        return status;
    }
}
