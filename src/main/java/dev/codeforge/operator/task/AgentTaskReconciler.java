package dev.codeforge.operator.task;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.api.WorkerPoolStatus;
import dev.codeforge.jetstream.Connections;
import dev.codeforge.jetstream.QueueUnavailableException;
import dev.codeforge.jetstream.Results;
import dev.codeforge.jetstream.Results.StoredEvent;
import dev.codeforge.jetstream.TaskQueue.StandingMessage;
import dev.codeforge.operator.framework.PoolKey;
import dev.codeforge.operator.framework.RecreatedPrimaries;
import dev.codeforge.operator.logging.FailureLog;
import dev.codeforge.operator.logging.LogFields;
import dev.codeforge.operator.scaling.ScaleUpBarrier;
import dev.codeforge.operator.status.Conditions;
import dev.codeforge.operator.status.EventRecorder;
import dev.codeforge.operator.status.ReconcileError;
import dev.codeforge.operator.status.StatusWriter;
import dev.codeforge.operator.time.Clocks;
import dev.codeforge.operator.tracing.Tracing;
import dev.codeforge.wire.DispatchKey;
import dev.codeforge.wire.Subjects;
import dev.codeforge.wire.TaskEvent;
import dev.codeforge.wire.TaskRef;
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
import io.javaoperatorsdk.operator.processing.event.source.inbound.SimpleInboundEventSource;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Brings a task from its resource to its outcome. */
public final class AgentTaskReconciler implements Reconciler<AgentTask> {
    private static final Logger LOG = LoggerFactory.getLogger(AgentTaskReconciler.class);
    public static final String BY_UID = "uid";
    public static final String BY_POOL = "pool";
    static final String BY_RUNNING = "running";
    public static final String BY_KEY = "key";
    private static final Duration REQUEUE = Duration.ofMillis(200);
    private static final int AT_ONCE = 8;

    private final Permits permits = new Permits(AT_ONCE);
    private final Backlog backlog = new Backlog();
    private final Connections connections;
    private final DispatchKey key;
    private final String installation;
    private final TaskPlanner planner;
    private final TaskDeadlines deadlines;
    private final TaskLedger ledger;
    private final TaskExecutor executor;
    private final TaskStatusBuilder statuses;
    private final StatusWriter<AgentTaskStatus, AgentTask> writer = new StatusWriter<>(AgentTask::new);
    private final EventRecorder events;
    private final Consumer<ResourceID> onQueueChange;
    private final ScaleUpBarrier scaleUps;
    private final PendingWithdrawals withdrawals;
    private final TaskListener listener;
    private final Tracing tracing;
    private final RunningPods pods;
    private final NatsOutage outage;
    private final ResultInbox inbox = new ResultInbox();
    private final SimpleInboundEventSource<AgentTask> triggers = new SimpleInboundEventSource<>("results");
    private final FailureLog failures = new FailureLog();
    private final RecreatedPrimaries<AgentTask> recreations = new RecreatedPrimaries<>(AgentTask.class);

    /**
     * @param onQueueChange called with the pool whose queue a task has just changed
     * @param scaleUps the pools that a queued task makes look, which a status waits for
     * @param withdrawWaiting takes what waits for tasks that are gone off a queue, or throws
     * @param listener told what becomes of each task
     * @param tracing told of it for its trace
     */
    public AgentTaskReconciler(
            KubernetesClient client,
            Connections connections,
            DispatchKey key,
            String installation,
            EventRecorder events,
            Consumer<ResourceID> onQueueChange,
            ScaleUpBarrier scaleUps,
            Consumer<WorkerPool> withdrawWaiting,
            TaskListener listener,
            Tracing tracing,
            Clocks clocks) {
        this.connections = connections;
        this.listener = listener;
        this.tracing = tracing;
        this.key = key;
        this.installation = installation;
        this.planner = new TaskPlanner(clocks);
        this.deadlines = new TaskDeadlines(clocks);
        final OperatorEvents operatorEvents = new OperatorEvents(key, clocks.nats());
        final OwnerTakeover former = new OwnerTakeover(client, connections, operatorEvents);
        this.ledger = new TaskLedger(connections, former, installation, clocks.nats());
        this.executor = new TaskExecutor(
                connections,
                new TaskMessages(key, installation, clocks.own(), tracing),
                operatorEvents,
                ledger,
                new TaskSessions(connections, former),
                new FinishedTasks(client),
                installation,
                tracing,
                permits);
        this.statuses = new TaskStatusBuilder(clocks);
        this.events = events;
        this.onQueueChange = onQueueChange;
        this.scaleUps = scaleUps;
        this.pods = new RunningPods(client);
        this.withdrawals = new PendingWithdrawals(withdrawWaiting);
        this.outage = new NatsOutage(connections, triggers::propagateEvent);
    }

    @Override
    public UpdateControl<AgentTask> reconcile(AgentTask handedOver, Context<AgentTask> context) {
        return recreations.reconcile(handedOver, context, (task, deleted) -> {
            try (LogFields ignored = LogFields.of(task)) {
                final UpdateControl<AgentTask> done = admit(task, deleted, context);
                failures.succeeded(task.uid());
                return done;
            }
        });
    }

    private UpdateControl<AgentTask> admit(AgentTask task, boolean deleted, Context<AgentTask> context) {
        try {
            if (deleted) {
                withdrawals.begun(task);
                withdrawals.beforeItsEnd(task, poolOf(task, context));
            }
            return permits.with(() -> look(task, deleted, context));
        } catch (QueueUnavailableException e) {
            if (deleted) {
                // For what is gone the framework repeats a failure, not a wish to look again.
                throw e;
            }
            // Not a failure of this task: the pools say that NATS is away, and thousands of stack traces would not.
            LOG.debug("AgentTask {} waits for NATS: {}", task.getMetadata().getName(), e.getMessage());
            return UpdateControl.<AgentTask>noUpdate().rescheduleAfter(outage.retryAfter(task));
        }
    }

    private UpdateControl<AgentTask> look(AgentTask task, boolean deleted, Context<AgentTask> context) {
        if (!deleted && backlog.rests(task) && !deadlines.isQueueOverdue(task, poolOf(task, context))) {
            return after(deadlines.requeueAfter(task, poolOf(task, context)));
        }
        TaskSnapshot snapshot = observe(task, deleted, context);
        TaskPlan plan = planner.plan(snapshot);
        while (plan instanceof TaskPlan.Question question) {
            snapshot = executor.answer(snapshot, question);
            plan = planner.plan(snapshot);
        }
        final Optional<StatusTransition> view = executor.execute(snapshot, plan);
        if (view.isEmpty() && snapshot.deleted()) {
            throw new QueueUnavailableException("the results moved while the deleted task was ended: looking again");
        }
        if (view.isEmpty()) {
            return UpdateControl.<AgentTask>noUpdate().rescheduleAfter(REQUEUE);
        }
        backlog.tried(task, view.get()).ifPresent(pool -> offerRoom(pool, 1));
        tellPool(task, plan, view.get());
        final boolean gone = snapshot.deleted() || plan instanceof TaskPlan.Delete;
        final AgentTaskStatus status = statuses.build(task, snapshot.pool(), view.get());
        final Instant begun = Instant.now();
        final Optional<AgentTaskStatus> stored = gone ? Optional.of(status) : write(task, status, context);
        if (stored.isEmpty()) {
            return UpdateControl.<AgentTask>noUpdate().rescheduleAfter(REQUEUE);
        }
        inbox.settle(task.uid(), task.isFinished() || gone ? Long.MAX_VALUE : snapshot.lastSequence());
        passOn(task, view.get(), context);
        if (gone || hasEnded(view.get()) || view.get() instanceof StatusTransition.Adopted) {
            passTurn(task, context);
        }
        if (gone) {
            withdrawals.ended(task);
            listener.gone(task);
            return UpdateControl.noUpdate();
        }
        return told(snapshot, stored.get(), begun);
    }

    private UpdateControl<AgentTask> told(TaskSnapshot snapshot, AgentTaskStatus status, Instant begun) {
        final AgentTask task = snapshot.task();
        listener.status(task, status);
        if (status.isTerminal() && !TaskDeadlines.statusOf(task).isTerminal()) {
            tracing.ended(task, status, begun);
        }
        warn(task, status);
        return after(deadlines.requeueAfter(snapshot, status));
    }

    private static UpdateControl<AgentTask> after(Optional<Duration> delay) {
        return delay.map(found -> UpdateControl.<AgentTask>noUpdate().rescheduleAfter(found))
                .orElseGet(UpdateControl::noUpdate);
    }

    private void offerRoom(ResourceID pool, int most) {
        backlog.offer(pool, most).forEach(next -> triggers.propagateEvent(ResourceID.fromResource(next)));
    }

    private Optional<AgentTaskStatus> write(AgentTask task, AgentTaskStatus status, Context<AgentTask> context) {
        return writer.write(task, status, why -> statuses.smallest(task, status, why), context);
    }

    /** At once, and the status after that: a worker may have to be started for it. */
    private void tellPool(AgentTask task, TaskPlan plan, StatusTransition view) {
        final ResourceID pool = TaskIndex.poolOf(task);
        if (plan instanceof TaskPlan.Publish && view instanceof StatusTransition.Queued) {
            scaleUps.want(pool);
            onQueueChange.accept(pool);
            permits.without(() -> {
                scaleUps.awaitRest(pool);
                return pool;
            });
        } else if (hasEnded(view) || view instanceof StatusTransition.Suspended) {
            onQueueChange.accept(pool);
            // Its message has left the queue, or is about to.
            offerRoom(pool, 1);
        }
    }

    private static boolean hasEnded(StatusTransition view) {
        return view instanceof StatusTransition.Ended || view instanceof StatusTransition.Closed;
    }

    /** A duplicate waits for the first one's end. */
    private void passOn(AgentTask task, StatusTransition view, Context<AgentTask> context) {
        if (hasEnded(view) && task.getSpec().idempotencyKey() != null) {
            context.getPrimaryCache().byIndex(BY_KEY, keyOf(task)).stream()
                    .filter(other -> !other.isFinished())
                    .forEach(this::trigger);
        }
    }

    private void passTurn(AgentTask task, Context<AgentTask> context) {
        SessionOrder.after(task, SessionTasks.of(task, context.getPrimaryCache()))
                .forEach(this::trigger);
    }

    /** The framework logs the error and tries again for ever; the task says why. */
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
                        .ifPresent(stored -> warn(task, stored));
            } catch (KubernetesClientException e) {
                if (before == 0) {
                    // Of a status that cannot be written an Event is all that is left.
                    events.warning(task, why.reason().name(), "Reconcile", why.message());
                }
            }
        }
        return ErrorStatusUpdateControl.defaultErrorProcessing();
    }

    private TaskSnapshot observe(AgentTask task, boolean deleted, Context<AgentTask> context) {
        final String namespace = task.getMetadata().getNamespace();
        final Optional<WorkerPool> pool = poolOf(task, context);
        if (task.isFinished()) {
            return new TaskSnapshot(
                    task,
                    deleted,
                    pool,
                    Optional.empty(),
                    0,
                    Optional.empty(),
                    Optional.empty(),
                    List.of(),
                    false,
                    TaskSnapshot.Answers.NONE);
        }
        // The queue first, then the results: a worker writes its outcome before its message goes.
        final Optional<StandingMessage> standing = pool.flatMap(WorkerPool::observedStatus)
                .map(WorkerPoolStatus::queue)
                .flatMap(queue ->
                        connections.queue().standing(queue.stream(), Subjects.task(queue.subject(), task.uid())))
                // Somebody else's message on our subject is not ours to judge by, nor to remove.
                .filter(message -> message.installation().equals(installation));
        final Optional<StoredEvent> stored = connections.results().last(TaskIndex.ref(task));
        final Optional<StoredEvent> believed = stored.filter(
                        event -> believed(event).isPresent())
                .or(() -> inbox.of(task.uid()).stream()
                        .map(Results.Delivery::event)
                        .filter(event -> believed(event).isPresent())
                        .reduce((first, second) -> second));
        final Optional<TaskEvent> last = believed.flatMap(this::believed);
        return new TaskSnapshot(
                task,
                deleted,
                pool,
                standing,
                stored.map(StoredEvent::sequence).orElse(0L),
                last,
                // The pod's times are of its node's clock, as the worker's own are.
                believed.flatMap(event -> event.asWritten(key))
                        .filter(TaskEvent::isRunning)
                        .flatMap(run -> pods.loss(task, pool, run, context)),
                SessionTasks.of(task, context.getPrimaryCache()),
                backlog.isBehind(task),
                TaskSnapshot.Answers.NONE);
    }

    private Optional<TaskEvent> believed(StoredEvent stored) {
        return stored.proven(key);
    }

    private void warn(AgentTask task, AgentTaskStatus status) {
        final AgentTaskStatus before = TaskDeadlines.statusOf(task);
        final boolean news =
                status.phase() != before.phase() || !status.history().equals(before.history());
        final boolean bad = status.phase() == Phase.Failed || status.phase() == Phase.Retrying;
        if (bad && news && status.error() != null) {
            events.warning(task, status.error().type(), "Run", status.error().message());
        }
        for (final String type : List.of(Conditions.STATUS_REFUSED, TaskConditions.RECONCILE_FAILED)) {
            Conditions.becameTrue(type, before.conditions(), status.conditions())
                    .ifPresent(said -> events.warning(task, said.getReason(), "Reconcile", said.getMessage()));
        }
        if (status.phase() == Phase.Queued && news && !status.history().isEmpty()) {
            tellGivenBack(task, status.history().getLast());
        }
    }

    private void tellGivenBack(AgentTask task, AgentTaskStatus.HistoryEntry last) {
        if (last.outcome() == Phase.Queued && last.error() != null) {
            events.warning(task, last.error().type(), "Run", last.error().message());
        }
    }

    /** A deleted task's namesake may be of another pool, and then this one is not known. */
    private static Optional<WorkerPool> poolOf(AgentTask task, Context<AgentTask> context) {
        return context.getSecondaryResource(WorkerPool.class)
                .filter(pool -> ResourceID.fromResource(pool).equals(TaskIndex.poolOf(task)));
    }

    private static String keyOf(AgentTask task) {
        return task.getMetadata().getNamespace() + "/" + task.getSpec().idempotencyKey();
    }

    /** Keeps the key of a task that is there remembered. */
    public void renewKey(AgentTask task) {
        ledger.renew(task);
    }

    /** Looks at a task again. */
    public void trigger(AgentTask task) {
        backlog.offer(task);
        triggers.propagateEvent(ResourceID.fromResource(task));
    }

    /** Starts to take results; call it when the caches are filled, or results of live tasks would seem unknown. */
    public AutoCloseable takeResults(TaskIndex tasks) {
        return connections.results().consume(delivery -> {
            final TaskRef ref = delivery.event().task();
            // On another pool's subject it is not this task's event, whatever its id.
            final Optional<AgentTask> task =
                    tasks.byUid(ref.id()).filter(found -> TaskIndex.ref(found).equals(ref));
            if (task.isEmpty() || task.get().isFinished()) {
                // Unknown here: an outside producer's, or deleted. The stream keeps it.
                delivery.ack();
                return;
            }
            final Optional<TaskEvent> event = believed(delivery.event());
            event.ifPresent(proven -> listener.event(proven, delivery.event().sequence()));
            if (event.filter(proven -> isSeen(task.get(), proven)).isPresent()) {
                delivery.ack();
                return;
            }
            inbox.put(delivery);
            trigger(task.get());
        });
    }

    /** Progress of a run that the status shows: it would be built as it is. */
    private static boolean isSeen(AgentTask task, TaskEvent event) {
        return event.kind() == TaskEvent.Kind.PROGRESS
                && TaskDeadlines.statusOf(task).phase() == Phase.Running
                && !StatusLag.isBehind(task, event);
    }

    @Override
    public List<EventSource<?, AgentTask>> prepareEventSources(EventSourceContext<AgentTask> context) {
        context.getPrimaryCache().addIndexer(BY_UID, task -> List.of(task.uid()));
        context.getPrimaryCache()
                .addIndexer(BY_KEY, task -> task.getSpec().idempotencyKey() == null ? List.of() : List.of(keyOf(task)));
        SessionTasks.index(context.getPrimaryCache());
        context.getPrimaryCache().addIndexer(BY_POOL, task -> List.of(PoolKey.of(TaskIndex.poolOf(task))));
        context.getPrimaryCache()
                .addIndexer(
                        BY_RUNNING,
                        task -> TaskDeadlines.statusOf(task).phase() == Phase.Running
                                ? List.of(PoolKey.of(TaskIndex.poolOf(task)))
                                : List.of());
        return List.of(
                PoolNews.source(context, backlog.in(context.getPrimaryCache())),
                RunningPods.source(context),
                triggers,
                recreations.in(context.getPrimaryCache()));
    }

    /** To be told by the framework what it forgets. */
    public Metrics recreations() {
        return recreations;
    }
}
