package dev.codeforge.operator.task;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskSpec;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Budget;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.api.WorkerPoolSpec;
import dev.codeforge.api.Workspace;
import dev.codeforge.jetstream.TaskQueue.OutgoingTask;
import dev.codeforge.operator.task.admission.SessionOrder;
import dev.codeforge.operator.task.status.BudgetCheck;
import dev.codeforge.operator.task.status.EffectiveSettings;
import dev.codeforge.operator.tracing.Tracing;
import dev.codeforge.wire.DispatchKey;
import dev.codeforge.wire.Headers;
import dev.codeforge.wire.SessionRecord;
import dev.codeforge.wire.Subjects;
import dev.codeforge.wire.TaskMessage;
import dev.codeforge.wire.TraceIds;
import java.time.Clock;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Writes the message of an attempt: the task's spec with the pool's defaults filled in. */
final class TaskMessages {
    private final DispatchKey key;
    private final String installation;
    private final Clock clock;
    private final Tracing tracing;

    TaskMessages(DispatchKey key, String installation, Clock clock, Tracing tracing) {
        this.key = key;
        this.installation = installation;
        this.clock = clock;
        this.tracing = tracing;
    }

    /** @param snapshot with the checkpoint of earlier runs and, if the task has a session, the session's record */
    OutgoingTask of(TaskSnapshot snapshot, WorkerPool pool, String poolSubject, int attempt, boolean freshId) {
        final AgentTask task = snapshot.task();
        final String id = task.uid() + "-" + attempt;
        final TaskMessage message = message(
                task,
                pool,
                attempt,
                session(snapshot),
                snapshot.lastSequence(),
                Checkpoints.carriedOn(task, snapshot.lastEvent()));
        return new OutgoingTask(
                Subjects.task(poolSubject, task.uid()),
                freshId ? id + "-" + UUID.randomUUID() : id,
                headers(task, attempt, id),
                message.toJson());
    }

    private TaskMessage message(
            AgentTask task,
            WorkerPool pool,
            int attempt,
            TaskMessage.@Nullable Session session,
            long lastEvent,
            Optional<String> checkpoint) {
        final AgentTaskSpec spec = task.getSpec();
        final WorkerPoolSpec poolSpec = pool.getSpec();
        final Map<String, String> config = new HashMap<>(poolSpec.taskDefaults().config());
        config.putAll(spec.config());
        final AgentTaskStatus.Effective effective = EffectiveSettings.of(task, Optional.of(pool));
        return new TaskMessage(
                task.uid(),
                task.getMetadata().getNamespace(),
                spec.workerPoolRef().name(),
                spec.projectID(),
                spec.title(),
                spec.prompt(),
                poolSpec.backend(),
                "",
                config,
                Math.max(1, poolSpec.queue().heartbeatTimeoutSeconds() / 3),
                key.dispatchId(task.uid(), attempt),
                attempt,
                effective.model() == null ? "" : effective.model(),
                effective.runTimeoutSeconds(),
                poolSpec.queue().maxDeliveries(),
                spec.delivery().name(),
                spent(task),
                budget(task, effective.budget()),
                workspace(task),
                lastEvent,
                checkpoint.orElse(null),
                session);
    }

    private static TaskMessage.@Nullable Session session(TaskSnapshot snapshot) {
        if (!SessionOrder.hasSession(snapshot.task())) {
            return null;
        }
        final Optional<SessionRecord.History> history = snapshot.candidate()
                .answers()
                .session()
                .flatMap(Function.identity())
                .flatMap(entry -> Optional.ofNullable(entry.record().history()));
        return new TaskMessage.Session(
                snapshot.task().getSpec().sessionName(),
                history.map(SessionRecord.History::object).orElse(null));
    }

    private static TaskMessage.Spent spent(AgentTask task) {
        return task.observedStatus()
                .map(AgentTaskStatus::usage)
                .map(TaskMessages::spent)
                .orElse(TaskMessage.Spent.NOTHING);
    }

    private static TaskMessage.Spent spent(AgentTaskStatus.Usage usage) {
        return new TaskMessage.Spent(
                usage.tokensIn(),
                usage.tokensOut(),
                usage.costUSD(),
                usage.unmeteredCalls() == null ? 0 : usage.unmeteredCalls());
    }

    private static TaskMessage.@Nullable Budget budget(AgentTask task, @Nullable Budget budget) {
        return budget == null
                ? null
                : new TaskMessage.Budget(budget.maxTokens(), budget.maxCostUSD(), spent(BudgetCheck.since(task)));
    }

    private static TaskMessage.@Nullable Workspace workspace(AgentTask task) {
        final Workspace workspace = task.getSpec().workspace();
        if (workspace == null) {
            return null;
        }
        final Workspace.Git git = workspace.git();
        final Workspace.Push push = git.push();
        return new TaskMessage.Workspace(new TaskMessage.Git(
                git.url(),
                git.ref() == null ? "" : git.ref(),
                push == null || push.policy() == Workspace.PushPolicy.Never
                        ? null
                        : new TaskMessage.Push(
                                push.branch() == null ? defaultBranch(task) : push.branch(),
                                push.onFailure() == null
                                        ? null
                                        : push.onFailure().name()),
                git.depth(),
                git.submodules(),
                git.lfs()));
    }

    /** Git keeps the ending .lock for itself; any other name of a resource is a branch's. */
    private static String defaultBranch(AgentTask task) {
        return "codeforge/" + task.getMetadata().getName().replaceFirst("[.]lock$", "-lock");
    }

    private Map<String, String> headers(AgentTask task, int attempt, String id) {
        final String namespace = task.getMetadata().getNamespace();
        final String name = task.getMetadata().getName();
        return Map.ofEntries(
                Map.entry("ce-specversion", "1.0"),
                Map.entry("ce-id", id),
                Map.entry("ce-type", "dev.codeforge.task"),
                Map.entry("ce-source", "/namespaces/" + namespace + "/agenttasks/" + name),
                Map.entry(
                        "ce-time",
                        clock.instant().truncatedTo(ChronoUnit.MILLIS).toString()),
                Map.entry("content-type", "application/json"),
                Map.entry(Headers.TRACEPARENT, TraceIds.traceparent(task.uid(), attempt, tracing.wants(task.uid()))),
                Map.entry(Headers.PROTOCOL, Headers.PROTOCOL_VERSION),
                Map.entry(Headers.INSTALLATION, installation),
                Map.entry(Headers.NAMESPACE, namespace),
                Map.entry(Headers.NAME, name));
    }
}
