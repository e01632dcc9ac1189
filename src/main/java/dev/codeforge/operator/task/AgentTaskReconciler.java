package dev.codeforge.operator.task;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.jetstream.Connections;
import dev.codeforge.jetstream.QueueUnavailableException;
import dev.codeforge.operator.framework.RecreatedPrimaries;
import dev.codeforge.operator.framework.Requeue;
import dev.codeforge.operator.index.TaskIndex;
import dev.codeforge.operator.logging.FailureLog;
import dev.codeforge.operator.logging.LogFields;
import dev.codeforge.operator.results.OperatorEvents;
import dev.codeforge.operator.results.TaskResults;
import dev.codeforge.operator.scaling.ScaleUpBarrier;
import dev.codeforge.operator.status.EventRecorder;
import dev.codeforge.operator.status.ReconcileError;
import dev.codeforge.operator.status.StatusWriter;
import dev.codeforge.operator.task.admission.Admissions;
import dev.codeforge.operator.task.admission.Backlog;
import dev.codeforge.operator.task.admission.SessionTasks;
import dev.codeforge.operator.task.loss.RunningPods;
import dev.codeforge.operator.task.status.StatusTransition;
import dev.codeforge.operator.task.status.TaskStatusBuilder;
import dev.codeforge.operator.time.Clocks;
import dev.codeforge.operator.tracing.Tracing;
import dev.codeforge.wire.DispatchKey;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.javaoperatorsdk.operator.api.monitoring.Metrics;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.ErrorStatusUpdateControl;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.RetryInfo;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Brings a task from its resource to its outcome: observe, decide, execute, write the status, announce it. */
public final class AgentTaskReconciler implements Reconciler<AgentTask> {
    private static final Logger LOG = LoggerFactory.getLogger(AgentTaskReconciler.class);
    private static final int AT_ONCE = 8;
    /** A key and a turn, each once more if somebody else was faster; then the task is requeued. */
    private static final int ADMISSIONS = 4;

    private final TaskIndex tasks;
    private final TaskResults results;
    private final TaskPlanner planner;
    private final TaskDeadlines deadlines;
    private final TaskObserver observer;
    private final Admissions admissions;
    private final TaskExecutor executor;
    private final TaskStatusBuilder statuses;
    private final StatusWriter<AgentTaskStatus, AgentTask> writer = new StatusWriter<>(AgentTask::new);
    private final TaskWarnings warnings;
    private final TaskAnnouncer announcer;
    private final PendingWithdrawals withdrawals;
    private final NatsOutage outage;
    private final TaskTriggers triggers;
    private final Backlog backlog = new Backlog();
    private final Permits permits = new Permits(AT_ONCE);
    private final FailureLog failures;
    private final RecreatedPrimaries<AgentTask> recreations = new RecreatedPrimaries<>(AgentTask.class);

    /**
     * @param tasks is filled with the reconciler's cache
     * @param onQueueChange called with the pool whose queue a task has just changed
     * @param scaleUps the pools that have to be reconciled because a task was queued, which its status waits for
     * @param withdrawWaiting takes the messages of tasks that are gone off a queue, or throws
     * @param listener hears what becomes of each task
     */
    public AgentTaskReconciler(
            KubernetesClient client,
            Connections connections,
            DispatchKey key,
            String installation,
            TaskIndex tasks,
            TaskResults results,
            EventRecorder events,
            FailureLog failures,
            Consumer<ResourceID> onQueueChange,
            ScaleUpBarrier scaleUps,
            Consumer<WorkerPool> withdrawWaiting,
            TaskListener listener,
            Tracing tracing,
            Clocks clocks) {
        this.tasks = tasks;
        this.results = results;
        this.failures = failures;
        this.planner = new TaskPlanner(clocks);
        this.deadlines = new TaskDeadlines(clocks);
        this.observer = new TaskObserver(connections, key, installation, results, new RunningPods(client), backlog);
        final OperatorEvents operatorEvents = new OperatorEvents(key, clocks.nats());
        this.admissions = new Admissions(client, connections, operatorEvents, installation, clocks.nats());
        this.executor = new TaskExecutor(
                connections,
                new TaskMessages(key, installation, clocks.own(), tracing),
                operatorEvents,
                admissions,
                new FinishedTasks(client),
                installation,
                tracing,
                permits);
        this.statuses = new TaskStatusBuilder(clocks);
        this.warnings = new TaskWarnings(events);
        this.triggers = new TaskTriggers(tasks, backlog);
        this.announcer =
                new TaskAnnouncer(tasks, triggers, onQueueChange, scaleUps, permits, listener, tracing, warnings);
        this.withdrawals = new PendingWithdrawals(withdrawWaiting);
        this.outage = new NatsOutage(connections, triggers::trigger);
    }

    @Override
    public UpdateControl<AgentTask> reconcile(AgentTask handedOver, Context<AgentTask> context) {
        return recreations.reconcile(handedOver, context, (task, deleted) -> {
            try (LogFields ignored = LogFields.of(task)) {
                final UpdateControl<AgentTask> done = deleted ? withdraw(task, context) : serve(task, context);
                failures.succeeded(task.uid());
                return done;
            }
        });
    }

    private UpdateControl<AgentTask> serve(AgentTask task, Context<AgentTask> context) {
        if (task.statusOrUnobserved().phase() == Phase.Unknown) {
            // A newer operator knows what it has begun.
            return UpdateControl.noUpdate();
        }
        try {
            return permits.with(() -> isAtRest(task, context)
                    ? Requeue.after(deadlines.requeueAfter(task, TaskObserver.poolOf(task, context)))
                    : step(task, context));
        } catch (QueueUnavailableException e) {
            if (e.isRefusal()) {
                // Only a person can end it, and looks at the task.
                throw e;
            }
            // Not a failure of this task: the pools say that NATS is away, and thousands of stack traces would not.
            LOG.debug("AgentTask {} waits for NATS: {}", task.getMetadata().getName(), e.getMessage());
            return Requeue.after(outage.retryAfter(task));
        }
    }

    /** It waits for room in its pool's queue, and nothing has changed: NATS need not be asked. */
    private boolean isAtRest(AgentTask task, Context<AgentTask> context) {
        return backlog.rests(task)
                && !results.isAhead(task)
                && !deadlines.isQueueOverdue(task, TaskObserver.poolOf(task, context));
    }

    private UpdateControl<AgentTask> step(AgentTask task, Context<AgentTask> context) {
        final Decision decision = decide(observer.observe(task, false, context));
        final Optional<StatusTransition> done = executor.execute(decision.snapshot(), decision.plan());
        if (done.isEmpty()) {
            return Requeue.afterChange();
        }
        final StatusTransition transition = done.get();
        triggers.published(task, transition);
        announcer.queueChanged(task, decision.plan(), transition);
        if (decision.plan() instanceof TaskPlan.Delete) {
            return gone(task, transition, context);
        }
        final Instant begun = Instant.now();
        final Optional<AgentTaskStatus> status =
                write(task, statuses.build(task, decision.snapshot().pool(), transition), context);
        if (status.isEmpty()) {
            return Requeue.afterChange();
        }
        results.settle(
                task, task.isFinished() ? Long.MAX_VALUE : decision.snapshot().lastSequence());
        announcer.stored(task, transition, status.get(), begun, context.getPrimaryCache());
        return Requeue.after(deadlines.requeueAfter(decision.snapshot(), status.get()));
    }

    /** Ends what a deleted task has left in NATS. Where that fails it throws, for the framework to try again: a deletion has no requeue. */
    private UpdateControl<AgentTask> withdraw(AgentTask task, Context<AgentTask> context) {
        withdrawals.begun(task);
        withdrawals.beforeItsEnd(task, TaskObserver.poolOf(task, context));
        return permits.with(() -> {
            final Decision decision = decide(observer.observe(task, true, context));
            final StatusTransition transition = executor.execute(decision.snapshot(), decision.plan())
                    .orElseThrow(() -> new QueueUnavailableException(
                            "another event came in while the deleted task was ended: it is reconciled again"));
            announcer.queueChanged(task, decision.plan(), transition);
            return gone(task, transition, context);
        });
    }

    private UpdateControl<AgentTask> gone(AgentTask task, StatusTransition transition, Context<AgentTask> context) {
        results.settle(task, Long.MAX_VALUE);
        withdrawals.ended(task);
        announcer.gone(task, transition, context.getPrimaryCache());
        return UpdateControl.noUpdate();
    }

    private record Decision(TaskSnapshot snapshot, TaskPlan plan) {}

    /** Asks what the planner has to know, and writes what has to be this task's before an attempt. */
    private Decision decide(TaskSnapshot observed) {
        TaskSnapshot snapshot = observed;
        TaskPlan plan = planner.plan(snapshot);
        int writes = 0;
        while (plan instanceof TaskPlan.Question || (plan instanceof TaskPlan.Admit && writes < ADMISSIONS)) {
            if (plan instanceof TaskPlan.Admit admit) {
                snapshot = executor.admit(snapshot, admit);
                writes++;
            } else if (plan instanceof TaskPlan.Question question) {
                snapshot = executor.answer(snapshot, question);
            }
            plan = planner.plan(snapshot);
        }
        return new Decision(snapshot, plan);
    }

    private Optional<AgentTaskStatus> write(AgentTask task, AgentTaskStatus status, Context<AgentTask> context) {
        return writer.write(task, status, why -> statuses.smallest(task, status, why), context);
    }

    /** The task says why, and the framework tries again for ever. */
    @Override
    public ErrorStatusUpdateControl<AgentTask> updateErrorStatus(
            AgentTask task, Context<AgentTask> context, Exception error) {
        final ReconcileError why = ReconcileError.of(error);
        final int before =
                context.getRetryInfo().map(RetryInfo::getAttemptCount).orElse(0);
        try (LogFields ignored = LogFields.of(task)) {
            failures.failed(task.uid(), why, error, before);
        }
        if (why.isWorthSaying(before) && recreations.isAlone(task, context)) {
            try {
                write(task, statuses.build(task, Optional.empty(), new StatusTransition.Troubled(why)), context)
                        .ifPresent(stored -> warnings.record(task, stored));
            } catch (KubernetesClientException e) {
                warnings.unwritten(task, why, before);
            }
        }
        return ErrorStatusUpdateControl.defaultErrorProcessing();
    }

    /** Keeps the key of a task that exists remembered. */
    public void renewKey(AgentTask task) {
        admissions.renewKey(task);
    }

    /** Reconciles a task. */
    public void trigger(AgentTask task) {
        triggers.trigger(task);
    }

    /** Reconciles the oldest task of each backlog. */
    public void retryBacklogs() {
        triggers.retryBacklogs();
    }

    @Override
    public List<EventSource<?, AgentTask>> prepareEventSources(EventSourceContext<AgentTask> context) {
        tasks.in(context.getPrimaryCache());
        SessionTasks.index(context.getPrimaryCache());
        return List.of(
                PoolNews.source(context, tasks, backlog.in(context.getPrimaryCache())),
                RunningPods.source(context),
                results,
                triggers.source(),
                recreations.in(context.getPrimaryCache()));
    }

    /** The framework reports to it which names it forgets. */
    public Metrics recreations() {
        return recreations;
    }
}
