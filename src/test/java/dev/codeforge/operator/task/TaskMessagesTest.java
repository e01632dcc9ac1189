package dev.codeforge.operator.task;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskSpec;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Budget;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.api.WorkerPoolSpec.TaskDefaults;
import dev.codeforge.api.Workspace;
import dev.codeforge.api.Workspace.PushPolicy;
import dev.codeforge.jetstream.CasBucket;
import dev.codeforge.jetstream.TaskQueue.OutgoingTask;
import dev.codeforge.operator.task.admission.Candidate;
import dev.codeforge.operator.tracing.Tracing;
import dev.codeforge.testing.Events;
import dev.codeforge.testing.Resources;
import dev.codeforge.testing.Schemas;
import dev.codeforge.wire.DispatchKey;
import dev.codeforge.wire.SessionObject;
import dev.codeforge.wire.SessionRecord;
import dev.codeforge.wire.TaskEvent;
import dev.codeforge.wire.TaskMessage;
import dev.codeforge.wire.TraceIds;
import dev.codeforge.wire.UnreadableMessageException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

final class TaskMessagesTest {
    private static final Clock CLOCK = Clock.fixed(Instant.parse("2026-11-24T12:00:00.123456Z"), ZoneOffset.UTC);
    private static final String SUBJECT = "tasks.agent.command";

    private final DispatchKey key = new DispatchKey(new byte[32]);
    private final TaskMessages messages = new TaskMessages(key, "cluster", CLOCK, Tracing.OFF);
    private AgentTask task = Resources.task("ns", "task", "pool");
    private WorkerPool pool = Resources.pool("ns", "pool", null);

    @Test
    void aPlainTaskTakesEverythingElseFromItsPool() throws Exception {
        pool = withDefaults(
                60, new TaskDefaults("pool-model", 900, null, null, null, Map.of("a", "pool", "b", "pool"), null));
        final TaskMessage message = written(1);
        assertThat(message.taskId()).isEqualTo(task.uid());
        assertThat(message.prompt()).isEqualTo("say hello");
        assertThat(message.backend()).isEqualTo("command");
        assertThat(message.model()).isEqualTo("pool-model");
        assertThat(message.runTimeoutSeconds()).isEqualTo(900);
        assertThat(message.config()).containsOnly(Map.entry("a", "pool"), Map.entry("b", "pool"));
        assertThat(message.heartbeatSeconds()).isEqualTo(20);
        assertThat(message.maxDeliveries()).isEqualTo(3);
        assertThat(message.spent()).isEqualTo(TaskMessage.Spent.NOTHING);
        assertThat(message.workspace()).isNull();
    }

    @Test
    void whatTheTaskSaysWinsKeyByKey() throws Exception {
        pool = withDefaults(
                60, new TaskDefaults("pool-model", 900, null, null, null, Map.of("a", "pool", "b", "pool"), null));
        task.setSpec(
                Resources.of(
                        AgentTaskSpec.class,
                        "{workerPoolRef: {name: pool}, title: Title, prompt: do it, projectID: project-1, model: own-model, config: {b: own}, runTimeoutSeconds: 30}"));
        final TaskMessage message = written(1);
        assertThat(message.title()).isEqualTo("Title");
        assertThat(message.projectId()).isEqualTo("project-1");
        assertThat(message.model()).isEqualTo("own-model");
        assertThat(message.runTimeoutSeconds()).isEqualTo(30);
        assertThat(message.config()).containsOnly(Map.entry("a", "pool"), Map.entry("b", "own"));
    }

    @Test
    void withoutAModelTheWorkersOwnApplies() throws Exception {
        assertThat(written(1).model()).isEmpty();
    }

    @Test
    void heartbeatsComeAtLeastThreeTimesWithinTheTimeout() throws Exception {
        pool = withDefaults(5, new TaskDefaults(null, null, null, null, null, null, null));
        assertThat(written(1).heartbeatSeconds()).isEqualTo(1);
    }

    @Test
    void thePushBranchBearsTheTasksNameUnlessItIsGiven() throws Exception {
        inRepository(new Workspace.Git(
                "https://git.example.com/a.git", null, new Workspace.Push(PushPolicy.OnSuccess, null, null)));
        assertThat(written(1).workspace().git().push().branch()).isEqualTo("codeforge/task");
        assertThat(written(1).workspace().git().ref()).isEmpty();
        inRepository(new Workspace.Git(
                "https://git.example.com/a.git", "v1", new Workspace.Push(PushPolicy.OnSuccess, "mine", null)));
        assertThat(written(1).workspace().git().push().branch()).isEqualTo("mine");
        assertThat(written(1).workspace().git().ref()).isEqualTo("v1");
    }

    @Test
    void thePushBranchIsOneThatGitTakesWhateverTheTaskIsCalled() throws Exception {
        task.getMetadata().setName("bump-yarn.lock");
        inRepository(new Workspace.Git(
                "https://git.example.com/a.git", null, new Workspace.Push(PushPolicy.OnSuccess, null, null)));
        assertThat(written(1).workspace().git().push().branch()).isEqualTo("codeforge/bump-yarn-lock");
    }

    @Test
    void whereFailedWorkIsKeptIsSaidOnlyWhereTheTaskSaysIt() throws Exception {
        inRepository(new Workspace.Git(
                "https://git.example.com/a.git",
                null,
                new Workspace.Push(PushPolicy.OnSuccess, null, Workspace.OnFailure.Push)));
        assertThat(written(1).workspace().git().push()).isEqualTo(new TaskMessage.Push("codeforge/task", "Push"));
        assertThat(Schemas.problems("task-message", body(1))).isEmpty();
        inRepository(new Workspace.Git(
                "https://git.example.com/a.git", null, new Workspace.Push(PushPolicy.OnSuccess, null, null)));
        assertThat(new String(body(1), java.nio.charset.StandardCharsets.UTF_8)).doesNotContain("on_failure");
    }

    @Test
    void nothingIsPushedUnlessItIsAskedFor() throws Exception {
        inRepository(new Workspace.Git("https://git.example.com/a.git", null, null));
        assertThat(written(1).workspace().git().push()).isNull();
        inRepository(new Workspace.Git(
                "https://git.example.com/a.git", null, new Workspace.Push(PushPolicy.Never, "mine", null)));
        assertThat(written(1).workspace().git().push()).isNull();
    }

    @Test
    void howMuchIsClonedIsSaidOnlyWhereTheTaskSaysIt() throws Exception {
        inRepository(new Workspace.Git("https://git.example.com/a.git", null, null));
        assertThat(new String(body(1), java.nio.charset.StandardCharsets.UTF_8))
                .doesNotContain("depth", "submodules", "lfs");
        inRepository(new Workspace.Git("https://git.example.com/a.git", null, null, 50, true, false));
        assertThat(written(1).workspace().git())
                .isEqualTo(new TaskMessage.Git("https://git.example.com/a.git", "", null, 50, true, false));
        assertThat(Schemas.problems("task-message", body(1))).isEmpty();
    }

    @Test
    void anAttemptTellsWhatTheOnesBeforeItSpent() throws Exception {
        task.setStatus(Resources.of(
                AgentTaskStatus.class, "{attempts: 1, usage: {tokensIn: 10, tokensOut: 20, costUSD: '0.5'}}"));
        final TaskMessage message = written(2);
        assertThat(message.attempt()).isEqualTo(2);
        assertThat(message.spent()).isEqualTo(new TaskMessage.Spent(10, 20, "0.5"));
    }

    @Test
    void withoutABudgetTheMessageHasNone() throws Exception {
        assertThat(written(1).budget()).isNull();
    }

    @Test
    void aTasksBudgetWinsFieldByFieldOverThePools() throws Exception {
        task = Resources.task("ns", "task", "pool", "budget: {maxTokens: 9}");
        pool = withDefaults(60, new TaskDefaults(null, 900, null, null, new Budget(5L, "1.5"), null, null));
        assertThat(written(1).budget()).isEqualTo(new TaskMessage.Budget(9L, "1.5", TaskMessage.Spent.NOTHING));
    }

    @Test
    void aBudgetBeginsAtTheLastRerun() throws Exception {
        final String used = "usage: {tokensIn: 10, tokensOut: 20, costUSD: '0.5', unmeteredCalls: 1}";
        task = Resources.task("ns", "task", "pool", "rerun: 1, budget: {maxTokens: 9}");
        task.setStatus(Resources.of(AgentTaskStatus.class, "{phase: Failed, attempts: 1, " + used + "}"));
        // Asked for, and not yet told by the status.
        assertThat(written(2).budget().since()).isEqualTo(new TaskMessage.Spent(10, 20, "0.5", 1));
        task.setStatus(Resources.of(
                AgentTaskStatus.class,
                "{phase: Queued, attempts: 2, rerun: 1, " + used
                        + ", usageAtRerun: {tokensIn: 1, tokensOut: 2, costUSD: '0.1'}}"));
        assertThat(written(2).budget().since()).isEqualTo(new TaskMessage.Spent(1, 2, "0.1"));
        assertThat(written(2).spent()).isEqualTo(new TaskMessage.Spent(10, 20, "0.5", 1));
    }

    @Test
    void whatEarlierAttemptsSavedIsHandedOn() throws Exception {
        final TaskEvent saved = Events.saving(Events.of(task, TaskEvent.Kind.PROGRESS), "{\"done\":2}");
        final byte[] body = messages.of(snapshot(task, Optional.of(saved)), pool, SUBJECT, 2, false)
                .body();
        assertThat(TaskMessage.parse(body).checkpoint()).isEqualTo("{\"done\":2}");
        assertThat(Schemas.problems("task-message", body)).isEmpty();
        assertThat(written(1).checkpoint()).isNull();
    }

    @Test
    void eachAttemptHasItsOwnDispatchId() throws Exception {
        assertThat(written(1).dispatchId())
                .isEqualTo(key.dispatchId(task.uid(), 1))
                .isNotEqualTo(written(2).dispatchId());
    }

    @Test
    void theMessageIsAddressedToTheTaskAndKnownByUidAndAttempt() {
        final OutgoingTask outgoing = messages.of(snapshot(task), pool, SUBJECT, 2, false);
        assertThat(outgoing.subject()).isEqualTo(SUBJECT + "." + task.uid());
        assertThat(outgoing.messageId()).isEqualTo(task.uid() + "-2");
    }

    @Test
    void aFreshIdIsTakenByNoMessageBefore() {
        final String first = messages.of(snapshot(task), pool, SUBJECT, 2, true).messageId();
        final String second =
                messages.of(snapshot(task), pool, SUBJECT, 2, true).messageId();
        assertThat(first).startsWith(task.uid() + "-2-").isNotEqualTo(second);
    }

    @Test
    void headersTellWhoseMessageItIs() {
        final Map<String, String> headers =
                messages.of(snapshot(task), pool, SUBJECT, 1, true).headers();
        assertThat(headers)
                .containsEntry("Codeforge-Protocol", "1")
                .containsEntry("Codeforge-Installation", "cluster")
                .containsEntry("Codeforge-Namespace", "ns")
                .containsEntry("Codeforge-Name", "task")
                .containsEntry("ce-specversion", "1.0")
                .containsEntry("ce-type", "dev.codeforge.task")
                .containsEntry("ce-id", task.uid() + "-1")
                .containsEntry("ce-source", "/namespaces/ns/agenttasks/task")
                .containsEntry("ce-time", "2026-11-24T12:00:00.123Z");
        assertThat(headers.get("traceparent"))
                .isEqualTo("00-" + task.uid().replace("-", "") + "-" + TraceIds.publish(task.uid(), 1) + "-01");
    }

    @Test
    void everyMessageIsAsTheSchemaSays() throws Exception {
        assertThat(Schemas.problems("task-message", body(1))).isEmpty();
        pool = withDefaults(60, new TaskDefaults("pool-model", 900, null, null, null, Map.of("a", "pool"), null));
        inRepository(new Workspace.Git(
                "https://git.example.com/a.git", "v1", new Workspace.Push(PushPolicy.OnSuccess, "mine", null)));
        assertThat(Schemas.problems("task-message", body(12))).isEmpty();
    }

    @Test
    void headersAreTheGoldenOnes() throws Exception {
        final AgentTask golden = Resources.task("team", "greet-strangers", "aider");
        golden.getMetadata().setUid("5f0c4f9e-7a43-4d0e-9d2b-0a3c1e5b7f21");
        final Map<String, String> expected = new ObjectMapper()
                .readValue(
                        Path.of("schemas", "golden", "task-message.headers.json")
                                .toFile(),
                        new TypeReference<TreeMap<String, String>>() {});
        // Set by the publish itself, or random by nature.
        expected.keySet().removeIf(name -> name.startsWith("Nats-"));
        final Map<String, String> written = new TreeMap<>(new TaskMessages(
                        key,
                        "0d2f6c1a-93f1-4b58-8f0e-6a1f7a0c9b11",
                        Clock.fixed(Instant.parse("2026-05-04T10:00:00Z"), ZoneOffset.UTC),
                        Tracing.OFF)
                .of(snapshot(golden), pool, SUBJECT, 2, false)
                .headers());
        assertThat(written).isEqualTo(expected);
    }

    private byte[] body(int attempt) {
        return messages.of(snapshot(task), pool, SUBJECT, attempt, false).body();
    }

    @Test
    void aTaskOfASessionIsToldWhereItsConversationStands() throws Exception {
        final AgentTask talking = Resources.task("ns", "task", "pool", "session: {name: talk}");
        final SessionObject left = new SessionObject("sessions/s/uid-1-1", "digest", 5);
        final CasBucket.Entry<SessionRecord> entry = new CasBucket.Entry<>(
                new SessionRecord("talk", null, new SessionRecord.History("uid", 1, left)), 3, Seen.NOW);
        final TaskSnapshot fresh = snapshot(talking);
        assertThat(session(fresh.with(fresh.candidate().withSession(Optional.of(entry)))))
                .isEqualTo(new TaskMessage.Session("talk", left));
        assertThat(session(fresh.with(fresh.candidate().withSession(Optional.empty()))))
                .isEqualTo(new TaskMessage.Session("talk", null));
        assertThat(session(snapshot(task))).isNull();
    }

    private TaskMessage.Session session(TaskSnapshot snapshot) throws UnreadableMessageException {
        return TaskMessage.parse(messages.of(snapshot, pool, SUBJECT, 1, false).body())
                .session();
    }

    private TaskSnapshot snapshot(AgentTask of) {
        return snapshot(of, Optional.empty());
    }

    private TaskSnapshot snapshot(AgentTask of, Optional<TaskEvent> last) {
        return new TaskSnapshot(
                Candidate.of(of, Optional.of(pool), List.of(), false),
                false,
                Optional.empty(),
                0,
                last,
                Optional.empty(),
                Optional.empty());
    }

    private TaskMessage written(int attempt) throws UnreadableMessageException {
        return TaskMessage.parse(
                messages.of(snapshot(task), pool, SUBJECT, attempt, false).body());
    }

    private void inRepository(Workspace.Git git) {
        final AgentTaskSpec spec = task.getSpec();
        task.setSpec(new AgentTaskSpec(
                spec.workerPoolRef(),
                null,
                spec.prompt(),
                null,
                null,
                null,
                new Workspace(git),
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                null));
    }

    private static WorkerPool withDefaults(int heartbeatTimeout, TaskDefaults defaults) {
        final WorkerPool pool = Resources.pool("ns", "pool", null);
        pool.setSpec(Resources.poolSpec(Map.of(
                "backend",
                "command",
                "queue",
                Map.of("subject", SUBJECT, "heartbeatTimeoutSeconds", heartbeatTimeout),
                "taskDefaults",
                defaults)));
        return pool;
    }
}
