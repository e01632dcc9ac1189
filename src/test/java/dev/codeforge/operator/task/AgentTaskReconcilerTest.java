package dev.codeforge.operator.task;

import static dev.codeforge.testing.Patience.PATIENCE;
import static dev.codeforge.testing.Patience.throughout;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.api.WorkerPoolStatus;
import dev.codeforge.jetstream.QueueUnavailableException;
import dev.codeforge.operator.framework.UnlimitedRetry;
import dev.codeforge.operator.index.TaskIndex;
import dev.codeforge.operator.logging.FailureLog;
import dev.codeforge.operator.results.TaskResults;
import dev.codeforge.operator.scaling.ScaleUpBarrier;
import dev.codeforge.operator.status.Conditions;
import dev.codeforge.operator.status.EventRecorder;
import dev.codeforge.operator.status.Reason;
import dev.codeforge.operator.time.Clocks;
import dev.codeforge.operator.tracing.Tracing;
import dev.codeforge.testing.Events;
import dev.codeforge.testing.FakeConnections;
import dev.codeforge.testing.FaultyApiServer;
import dev.codeforge.testing.Resources;
import dev.codeforge.wire.DispatchKey;
import dev.codeforge.wire.TaskEvent;
import dev.codeforge.wire.TaskEvent.Kind;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.fabric8.kubernetes.client.dsl.base.CustomResourceDefinitionContext;
import io.javaoperatorsdk.operator.Operator;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What becomes of a task while the API server answers with errors. */
final class AgentTaskReconcilerTest {
    private static final String STATUS = "/agenttasks/task/status";
    private static final Duration SHORTER_THAN_THE_NEXT_TRY = Duration.ofSeconds(20);

    private final DispatchKey key = new DispatchKey(new byte[32]);
    private final FakeConnections nats = new FakeConnections(key);
    private final FaultyApiServer server = new FaultyApiServer(
            CustomResourceDefinitionContext.fromCustomResourceType(AgentTask.class),
            CustomResourceDefinitionContext.fromCustomResourceType(WorkerPool.class));
    private final KubernetesClient client = server.client();
    private final List<String> told = new CopyOnWriteArrayList<>();
    private final TaskListener watch = new TaskListener() {
        @Override
        public void status(AgentTask seen, AgentTaskStatus status) {
            told.add("status " + status.phase());
        }

        @Override
        public void gone(AgentTask seen) {
            told.add("gone");
        }
    };
    private Operator operator;
    private TaskResults results;
    private AgentTask task;

    @BeforeEach
    void aQueuedTask() {
        final TaskIndex tasks = new TaskIndex();
        results = new TaskResults(nats, key, tasks, (event, sequence) -> told.add("event " + event.kind()));
        final AgentTaskReconciler reconciler = new AgentTaskReconciler(
                client,
                nats,
                key,
                "installation",
                tasks,
                results,
                new EventRecorder(client, "test", Clock.systemUTC()),
                new FailureLog(),
                pool -> {},
                new ScaleUpBarrier(),
                queue -> {},
                watch,
                Tracing.OFF,
                new Clocks(Clock.systemUTC(), Clock.systemUTC(), Clock.systemUTC()));
        operator = new Operator(overrider -> overrider
                .withKubernetesClient(client)
                .withMetrics(reconciler.recreations())
                .withCloseClientOnStop(false)
                .withUseSSAToPatchPrimaryResource(true));
        operator.register(reconciler, overrider -> overrider
                .settingNamespace("ns")
                .withRetry(new UnlimitedRetry())
                .withFieldManager("codeforge-operator")
                .withTriggerReconcilerOnAllEvents(true));
        final WorkerPool pool = Resources.pool("ns", "pool", null);
        pool.setStatus(new WorkerPoolStatus(
                1L,
                new Conditions(List.of(), 1, Instant.EPOCH)
                        .set("QueueReady", true, Reason.QueueReady, "")
                        .list(),
                0,
                0,
                "",
                new WorkerPoolStatus.Queue("tasks_ns_pool", "tasks.test", 0L, 0L),
                0,
                null));
        client.resource(pool).create();
        client.resource(pool).updateStatus();
        operator.start();
        results.begin();
        task = client.resource(Resources.task("ns", "task", "pool")).create();
        awaitPhase(Phase.Queued);
    }

    @AfterEach
    void stop() throws Exception {
        results.end();
        operator.stop();
        server.close();
    }

    @Test
    void anOutcomeIsAcknowledgedWhenItsStatusIsStored() {
        final long outcome = nats.report(Events.of(task, Kind.COMPLETED));
        awaitPhase(Phase.Succeeded);
        await().atMost(PATIENCE).until(() -> nats.acknowledged().contains(outcome));
    }

    @Test
    void anOutcomeIsNotAcknowledgedWhileItsStatusCannotBeStored() {
        server.answer("PATCH", STATUS, 500, 500, 500, 500, 500, 500);
        final long before = server.count("PATCH", STATUS);
        final long outcome = nats.report(Events.of(task, Kind.COMPLETED));
        await().atMost(PATIENCE).until(() -> server.count("PATCH", STATUS) >= before + 2);
        assertThat(nats.acknowledged()).doesNotContain(outcome);
        assertThat(stored().getStatus().phase()).isEqualTo(Phase.Queued);
    }

    @Test
    void aStatusThatWasRefusedOnceIsStoredOnTheNextTry() {
        server.answer("PATCH", STATUS, 500);
        final long outcome = nats.report(Events.of(task, Kind.COMPLETED));
        awaitPhase(Phase.Succeeded);
        await().atMost(PATIENCE).until(() -> nats.acknowledged().contains(outcome));
    }

    @ParameterizedTest
    @ValueSource(ints = {400, 413, 422})
    void anOutcomeWhoseStatusIsRefusedIsStoredWithoutTheWorkersWords(int code) {
        server.answer("PATCH", STATUS, code);
        final long outcome = nats.report(Events.of(task, Kind.COMPLETED));
        awaitPhase(Phase.Succeeded);
        await().atMost(PATIENCE).until(() -> nats.acknowledged().contains(outcome));
        final AgentTaskStatus status = stored().getStatus();
        assertThat(status.result()).isNull();
        assertThat(status.usage().tokensIn()).isEqualTo(3);
        final Condition refused =
                Conditions.find(status.conditions(), "StatusRefused").orElseThrow();
        assertThat(refused.getMessage()).contains(Integer.toString(code), "as the test wants it", "RESULTS");
        awaitEvent("StatusRefused");
    }

    @Test
    void aFailureWhoseStatusIsRefusedKeepsItsTypeAndIsRetried() {
        client.resource(task).delete();
        task = client.resource(Resources.task("ns", "task", "pool", "retry: {maxAttempts: 2, backoffSeconds: 3600}"))
                .create();
        awaitPhase(Phase.Queued);
        server.answer("PATCH", STATUS, 422);
        final TaskEvent failed = Events.at(
                task, Kind.FAILED, 1, 1, new TaskEvent.Failure("CommandFailed", "exit code 1", true), Instant.now());
        final long outcome = nats.report(failed);
        awaitPhase(Phase.Retrying);
        await().atMost(PATIENCE).until(() -> nats.acknowledged().contains(outcome));
        assertThat(stored().getStatus().error().type()).isEqualTo("CommandFailed");
        assertThat(stored().getStatus().history()).hasSize(1);
    }

    @Test
    void aStatusThatIsRefusedInEveryFormIsToldInAnEventAndStoredWhenItIsTaken() {
        // The status and its smallest form, of the outcome and of the error.
        server.answer("PATCH", STATUS, 422, 422, 422, 422);
        final long outcome = nats.report(Events.of(task, Kind.COMPLETED));
        awaitEvent("RequestRefused");
        awaitPhase(Phase.Succeeded);
        await().atMost(PATIENCE).until(() -> nats.acknowledged().contains(outcome));
        assertThat(stored().getStatus().result()).isNotNull();
        assertThat(Conditions.find(stored().getStatus().conditions(), "ReconcileFailed"))
                .isEmpty();
    }

    @Test
    void anErrorOfAReconcileIsInTheTaskAndInAnEvent() {
        server.answer("PATCH", STATUS, 403);
        nats.report(Events.of(task, Kind.RUNNING));
        awaitEvent("RequestRefused");
        assertThat(Conditions.find(stored().getStatus().conditions(), "ReconcileFailed"))
                .map(Condition::getReason)
                .hasValue("RequestRefused");
        awaitPhase(Phase.Running);
    }

    @Test
    void whoWatchesIsToldOfEventsThenOfTheirStatusAndOfADeletion() {
        nats.forge(Events.of(task, Kind.COMPLETED));
        nats.report(Events.of(task, Kind.RUNNING));
        awaitPhase(Phase.Running);
        await().atMost(PATIENCE).until(() -> told.contains("status Running"));
        assertThat(told).containsSubsequence("status Queued", "event RUNNING", "status Running");
        assertThat(told).doesNotContain("event COMPLETED");
        client.resource(task).delete();
        await().atMost(PATIENCE).until(() -> told.contains("gone"));
    }

    @Test
    void progressOfARunThatTheStatusShowsReconcilesNothing() {
        nats.report(Events.of(task, Kind.RUNNING));
        awaitPhase(Phase.Running);
        // The operator's cache may be behind for a moment.
        await().atMost(PATIENCE).until(() -> {
            final long statuses = statusesTold();
            final long progress = nats.report(Events.of(task, Kind.PROGRESS));
            await().atMost(PATIENCE).until(() -> nats.acknowledged().contains(progress));
            return statusesTold() == statuses;
        });
        assertThat(told).contains("event PROGRESS");
    }

    private long statusesTold() {
        return told.stream().filter(word -> word.startsWith("status")).count();
    }

    @Test
    void whileNatsIsAwayATaskIsTriedOnceAndAgainWhenItIsBack() {
        client.resource(task).delete();
        await().atMost(PATIENCE).until(() -> told.contains("gone"));
        nats.disconnect();
        final long before = nats.uses();
        task = client.resource(Resources.task("ns", "task", "pool")).create();
        await().atMost(PATIENCE).until(() -> nats.uses() > before);
        // Longer than the pause of one that is connected and gets no answer.
        throughout(Duration.ofSeconds(6), () -> nats.uses() == before + 1);
        nats.connect();
        await().atMost(SHORTER_THAN_THE_NEXT_TRY).until(() -> stored().observedStatus()
                .filter(status -> status.phase() == Phase.Queued)
                .isPresent());
    }

    @Test
    void whatNatsRefusesIsInTheTaskUntilItAcceptsIt() {
        client.resource(task).delete();
        await().atMost(PATIENCE).until(() -> told.contains("gone"));
        nats.refuse(
                Optional.of(QueueUnavailableException.refusal("maximum messages exceeded, as the test wants", null)));
        task = client.resource(Resources.task("ns", "task", "pool")).create();
        await().atMost(PATIENCE).until(() -> stored().observedStatus()
                .flatMap(status -> Conditions.find(status.conditions(), "ReconcileFailed"))
                .filter(failed -> failed.getReason().equals("NatsRefused")
                        && failed.getMessage().contains("maximum messages exceeded"))
                .isPresent());
        nats.refuse(Optional.empty());
        awaitPhase(Phase.Queued);
    }

    @Test
    void aTaskInAPhaseOfANewerOperatorIsLeftAlone() {
        final AgentTask newer = client.resource(Resources.task("ns", "newer", "pool", "suspend: true"))
                .create();
        await().atMost(PATIENCE).until(() -> phase(newer).equals("Suspended"));
        raw(newer).editStatus(stored -> {
            stored.getAdditionalProperties().put("status", Map.of("phase", "Hibernating", "attempts", 1));
            return stored;
        });
        raw(newer).edit(stored -> {
            stored.getAdditionalProperties()
                    .put("spec", Map.of("workerPoolRef", Map.of("name", "pool"), "prompt", "say hello"));
            stored.getMetadata().setGeneration(2L);
            return stored;
        });
        final AgentTask other =
                client.resource(Resources.task("ns", "other", "pool")).create();
        await().atMost(PATIENCE).until(() -> phase(other).equals("Queued"));
        assertThat(phase(newer)).isEqualTo("Hibernating");
        assertThat(nats.standingSubjects()).noneMatch(subject -> subject.contains(newer.uid()));
        assertThat(client.resource(newer).get().getStatus().phase()).isEqualTo(Phase.Unknown);
    }

    /** As the API server has it; empty for none. */
    private String phase(AgentTask task) {
        return Optional.ofNullable(raw(task).get().<String>get("status", "phase"))
                .orElse("");
    }

    private Resource<GenericKubernetesResource> raw(AgentTask task) {
        return client.genericKubernetesResources(
                        CustomResourceDefinitionContext.fromCustomResourceType(AgentTask.class))
                .inNamespace("ns")
                .withName(task.getMetadata().getName());
    }

    @Test
    void aConflictLosesNothing() {
        server.answer("PATCH", STATUS, 409);
        final long outcome = nats.report(Events.of(task, Kind.COMPLETED));
        awaitPhase(Phase.Succeeded);
        await().atMost(PATIENCE).until(() -> nats.acknowledged().contains(outcome));
    }

    @Test
    void aTaskFailsProperlyWhereEventsMayNotBeWritten() {
        server.answer("POST", "/events", 403, 403, 403);
        final long outcome = nats.report(Events.failed(task, "CommandFailed", "exit code 1"));
        awaitPhase(Phase.Failed);
        await().atMost(PATIENCE).until(() -> nats.acknowledged().contains(outcome));
        await().atMost(PATIENCE).until(() -> server.count("POST", "/events") == 1);
    }

    @Test
    void aFailureIsWarnedOfOnceHoweverOftenItIsLookedAt() {
        final TaskEvent failed = Events.failed(task, 1, "CommandFailed", "exit code 1", true);
        nats.report(failed);
        awaitPhase(Phase.Failed);
        final long again = nats.report(failed);
        await().atMost(PATIENCE).until(() -> nats.acknowledged().contains(again));
        assertThat(server.count("POST", "/events")).isEqualTo(1);
    }

    @Test
    void anAttemptThatFailedIsWarnedOfOnceWhileTheNextOneIsWaitedFor() {
        client.resource(task).delete();
        task = client.resource(Resources.task("ns", "task", "pool", "retry: {maxAttempts: 2, backoffSeconds: 3600}"))
                .create();
        awaitPhase(Phase.Queued);
        final TaskEvent failed = Events.at(
                task, Kind.FAILED, 1, 1, new TaskEvent.Failure("CommandFailed", "exit code 1", true), Instant.now());
        nats.report(failed);
        awaitPhase(Phase.Retrying);
        final long again = nats.report(failed);
        await().atMost(PATIENCE).until(() -> nats.acknowledged().contains(again));
        assertThat(server.count("POST", "/events")).isEqualTo(1);
    }

    @Test
    void anEventThatNobodyProvesIsAcknowledgedAndChangesNothing() {
        final long forged = nats.forge(Events.of(task, Kind.COMPLETED));
        await().atMost(PATIENCE).until(() -> nats.acknowledged().contains(forged));
        assertThat(stored().getStatus().phase()).isEqualTo(Phase.Queued);
    }

    private void awaitPhase(Phase phase) {
        await().atMost(PATIENCE).until(() -> stored().observedStatus()
                .filter(status -> status.phase() == phase)
                .isPresent());
    }

    private void awaitEvent(String reason) {
        await().atMost(PATIENCE).until(() -> client.events().v1().events().inNamespace("ns").list().getItems().stream()
                .anyMatch(event -> reason.equals(event.getReason())));
    }

    private AgentTask stored() {
        return client.resources(AgentTask.class)
                .inNamespace("ns")
                .withName("task")
                .get();
    }
}
