package dev.codeforge.testing.faults;

import static dev.codeforge.testing.Patience.PATIENCE;
import static dev.codeforge.testing.faults.ApiRequest.taskStatus;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Operators and workers are real processes that do their work through the proxies, and take each signal. */
final class InstallationIT {
    private static final int ACK_WAIT = 5;
    private static final Map<String, String> ALONE = Map.of();
    private static final Map<String, String> ELECTED = Map.of("CODEFORGE_LEADER_ELECTION", "true");

    private Installation installation;
    private WorkerProcess worker;

    @BeforeEach
    void start() throws Exception {
        installation = new Installation();
    }

    @AfterEach
    void stop() throws Exception {
        installation.close();
    }

    @Test
    void aTaskGoesThroughEveryPart() {
        final OperatorProcess operator = installation.operator("operator", ALONE);
        operator.start();
        operator.awaitReady();
        installation.createPool("pool", ACK_WAIT, "");
        final WorkerProcess worker = startWorker("worker", "echo done");
        installation.createTask("task", "pool", "");
        awaitPhase("task", Phase.Succeeded);
        final AgentTaskStatus status = installation.status("task");
        assertThat(status.podName()).isEqualTo(worker.name());
        assertThat(status.result().output()).contains("done");
        // Pending while the pool is made, Queued, Running, Succeeded.
        assertThat(installation.kubernetes().done(taskStatus("task"))).isBetween(1L, 4L);
        assertThat(installation.operatorNats().published("tasks.>")).isEqualTo(1);
        // Two events, and at least one look at the last one.
        assertThat(installation.workerNats().published("events.*.*.*")).isGreaterThanOrEqualTo(3);
        assertThat(operator.logText()).contains("operator works");
        assertThat(operator.terminate(PATIENCE)).isEqualTo(143);
    }

    @Test
    void anOperatorKilledAtItsWriteNeverWritesItAndItsSuccessorDoes() {
        final OperatorProcess operator = installation.operator("operator", ALONE);
        operator.start();
        installation.createPool("pool", ACK_WAIT, "");
        operator.awaitReady();
        final Injection first = installation.kubernetes().at(1, taskStatus("task"), new Fault.Instead(operator::kill));
        installation.createTask("task", "pool", "");
        first.awaitHit(PATIENCE);
        await().atMost(PATIENCE).until(() -> !operator.isAlive());
        assertThat(installation.status("task").phase()).isNull();
        operator.start();
        awaitPhase("task", Phase.Queued);
    }

    @Test
    void aSecondReleaseForTheClusterStandsByAndSaysSo() {
        final OperatorProcess first = installation.operator("first", ALONE);
        first.start();
        first.awaitReady();
        final OperatorProcess second = installation.operator("second", Map.of("CODEFORGE_RELEASE", "second"));
        second.start();
        await().atMost(PATIENCE)
                .until(() -> second.logText().contains("/codeforge works for this cluster on this NATS account"));
        assertThat(second.isReady()).isFalse();
        assertThat(second.logText()).doesNotContain("operator works");
    }

    @Test
    void aLeaderThatIsStoppedPastItsLeaseIsFollowedAndEndsWhenItGoesOn() {
        final OperatorProcess first = installation.operator("first", ELECTED);
        first.start();
        await().atMost(PATIENCE).until(() -> first.logText().contains("operator works"));
        final OperatorProcess second = installation.operator("second", ELECTED);
        second.start();
        second.awaitReady();
        assertThat(second.logText()).doesNotContain("operator works");
        first.suspend();
        await().atMost(PATIENCE).until(() -> second.logText().contains("operator works"));
        assertThat(first.isAlive()).isTrue();
        first.resume();
        assertThat(first.awaitEnd(PATIENCE)).isNotZero();
    }

    @Test
    void aKilledWorkerTakesItsAgentAlong() throws Exception {
        start("trap '' TERM; echo $$ > " + file("agent") + "; sleep 60");
        final Path agent = file("agent");
        await().atMost(PATIENCE)
                .until(() -> Files.exists(agent) && !Files.readString(agent).isBlank());
        final long pid = Long.parseLong(Files.readString(agent).strip());
        assertThat(ProcessHandle.of(pid)).isPresent();
        worker.kill();
        assertThat(worker.isAlive()).isFalse();
        await().atMost(PATIENCE)
                .until(() ->
                        ProcessHandle.of(pid).filter(ProcessHandle::isAlive).isEmpty());
    }

    @Test
    void aTerminatedWorkerFinishesAndAnotherTakesTheNext() throws Exception {
        start("sleep 2; date >> " + file("done"));
        await().atMost(PATIENCE).until(() -> phase("task") == Phase.Running);
        worker.terminate();
        assertThat(worker.awaitEnd(PATIENCE)).isZero();
        awaitPhase("task", Phase.Succeeded);
        installation.createTask("next", "pool", "");
        startWorker("another", "true");
        awaitPhase("next", Phase.Succeeded);
        assertThat(Files.readAllLines(file("done"))).hasSize(1);
    }

    @Test
    void aWorkerThatIsStoppedTooLongLosesItsTaskAndItsAgent() throws Exception {
        start("if mkdir " + file("first") + "; then sleep 60; fi");
        await().atMost(PATIENCE).until(() -> phase("task") == Phase.Running);
        worker.suspend();
        startWorker("another", "true");
        awaitPhase("task", Phase.Succeeded);
        assertThat(installation.status("task").podName()).isEqualTo("another");
        worker.resume();
        await().atMost(PATIENCE).until(() -> worker.logText().contains("is not ours any more"));
    }

    /** An operator, a pool, a worker with this script, and a task. */
    private void start(String script) {
        final OperatorProcess operator = installation.operator("operator", ALONE);
        operator.start();
        installation.createPool("pool", ACK_WAIT, "");
        worker = startWorker("worker", script);
        installation.createTask("task", "pool", "");
    }

    private WorkerProcess startWorker(String name, String script) {
        final WorkerProcess started = installation.worker(name, "pool", ACK_WAIT, script, Map.of());
        started.start();
        started.awaitReady();
        return started;
    }

    private Path file(String name) {
        return installation.directory().resolve(name);
    }

    private Phase phase(String task) {
        return installation.status(task).phase();
    }

    private void awaitPhase(String task, Phase phase) {
        await().atMost(PATIENCE).until(() -> phase(task) == phase);
    }
}
