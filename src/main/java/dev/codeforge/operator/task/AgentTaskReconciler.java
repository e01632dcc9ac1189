package dev.codeforge.operator.task;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.api.WorkerPoolStatus;
import dev.codeforge.jetstream.Connections;
import dev.codeforge.jetstream.QueueUnavailableException;
import dev.codeforge.jetstream.Results;
import dev.codeforge.jetstream.StandingMessage;
import dev.codeforge.jetstream.StoredEvent;
import dev.codeforge.operator.status.EventRecorder;
import dev.codeforge.operator.status.StatusWriter;
import dev.codeforge.wire.DispatchKey;
import dev.codeforge.wire.Subjects;
import dev.codeforge.wire.TaskEvent;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.javaoperatorsdk.operator.api.config.informer.InformerEventSourceConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.ErrorStatusUpdateControl;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.javaoperatorsdk.operator.processing.event.source.inbound.SimpleInboundEventSource;
import io.javaoperatorsdk.operator.processing.event.source.informer.InformerEventSource;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Brings a task from its resource to its outcome. */
public final class AgentTaskReconciler implements Reconciler<AgentTask> {
    private static final Logger LOG = LoggerFactory.getLogger(AgentTaskReconciler.class);
    public static final String BY_UID = "uid";
    public static final String BY_POOL = "pool";
    /** Longer than a worker takes to reconnect. */
    private static final Duration HOLDER_TIMEOUT = Duration.ofSeconds(5);

    private static final Duration LOOK_AGAIN = Duration.ofMillis(200);
    /** A task that waits for its pool is looked at again even when no event of the pool comes. */
    private static final Duration PENDING = Duration.ofSeconds(30);

    private final Connections connections;
    private final DispatchKey key;
    private final TaskPlanner planner = new TaskPlanner();
    private final TaskExecutor executor;
    private final TaskStatusBuilder statuses;
    private final EventRecorder events;
    private final Consumer<ResourceID> onQueueChange;
    private final ResultInbox inbox = new ResultInbox();
    private final SimpleInboundEventSource<AgentTask> triggers = new SimpleInboundEventSource<>("results");

    /** @param onQueueChange called with the pool whose queue a task has just changed */
    public AgentTaskReconciler(
            Connections connections,
            DispatchKey key,
            String installation,
            EventRecorder events,
            Consumer<ResourceID> onQueueChange,
            Clock clock) {
        this.connections = connections;
        this.key = key;
        this.executor = new TaskExecutor(
                connections, new TaskMessages(key, installation, clock), new OperatorEvents(key, clock));
        this.statuses = new TaskStatusBuilder(clock);
        this.events = events;
        this.onQueueChange = onQueueChange;
    }

    @Override
    public UpdateControl<AgentTask> reconcile(AgentTask task, Context<AgentTask> context) {
        final TaskSnapshot observed = observe(task, context);
        final TaskSnapshot snapshot = planner.plan(observed) instanceof TaskPlan.AskHolder
                ? observed.withHolder(
                        connections.control(task.getMetadata().getNamespace()).holder(task.uid(), HOLDER_TIMEOUT))
                : observed;
        final Optional<TaskView> view = executor.execute(snapshot, planner.plan(snapshot));
        if (view.isEmpty() && snapshot.deleted()) {
            // For what is gone the framework repeats a failure, not a wish to look again.
            throw new QueueUnavailableException("the results moved while the deleted task was ended: looking again");
        }
        if (view.isEmpty()) {
            return UpdateControl.<AgentTask>noUpdate().rescheduleAfter(LOOK_AGAIN);
        }
        if (!snapshot.deleted()) {
            final AgentTaskStatus status = statuses.build(task, snapshot.pool(), view.get());
            StatusWriter.write(task, status, AgentTask::new, context);
            warn(task, status);
        }
        inbox.settle(task.uid(), task.isFinished() || snapshot.deleted() ? Long.MAX_VALUE : snapshot.lastSequence());
        if (view.get() instanceof TaskView.Queued || view.get() instanceof TaskView.Ended) {
            onQueueChange.accept(poolOf(task));
        }
        return view.get() instanceof TaskView.Waiting
                ? UpdateControl.<AgentTask>noUpdate().rescheduleAfter(PENDING)
                : UpdateControl.noUpdate();
    }

    /** The framework tries again for ever and says so nowhere: say it. */
    @Override
    public ErrorStatusUpdateControl<AgentTask> updateErrorStatus(
            AgentTask task, Context<AgentTask> context, Exception error) {
        LOG.warn(
                "AgentTask {}/{} is tried again: {}",
                task.getMetadata().getNamespace(),
                task.getMetadata().getName(),
                error.getMessage(),
                error);
        return ErrorStatusUpdateControl.defaultErrorProcessing();
    }

    private TaskSnapshot observe(AgentTask task, Context<AgentTask> context) {
        final String namespace = task.getMetadata().getNamespace();
        final boolean deleted = context.isPrimaryResourceDeleted();
        final Optional<WorkerPool> pool = context.getSecondaryResource(WorkerPool.class);
        if (task.isFinished()) {
            return new TaskSnapshot(task, deleted, pool, Optional.empty(), 0, Optional.empty(), Optional.empty());
        }
        // The queue first, then the results: a worker writes its outcome before its message goes.
        final Optional<StandingMessage> standing = pool.flatMap(WorkerPool::observedStatus)
                .map(WorkerPoolStatus::queue)
                .flatMap(queue -> connections
                        .queue(namespace)
                        .standing(queue.stream(), Subjects.task(queue.subject(), task.uid())));
        final Optional<StoredEvent> stored = connections.results(namespace).last(task.uid());
        return new TaskSnapshot(
                task,
                deleted,
                pool,
                standing,
                stored.map(StoredEvent::sequence).orElse(0L),
                stored.flatMap(this::believed).or(() -> inbox.of(task.uid()).stream()
                        .map(Results.Delivery::event)
                        .flatMap(event -> believed(event).stream())
                        .reduce((first, second) -> second)),
                Optional.empty());
    }

    private Optional<TaskEvent> believed(StoredEvent stored) {
        return TaskEvent.proven(key, stored.taskId(), stored.body(), stored.proof());
    }

    private void warn(AgentTask task, AgentTaskStatus status) {
        if (status.phase() == Phase.Failed && status.error() != null && !task.isFinished()) {
            events.warning(task, status.error().type(), "Run", status.error().message());
        }
    }

    private static ResourceID poolOf(AgentTask task) {
        return new ResourceID(
                task.getSpec().workerPoolRef().name(), task.getMetadata().getNamespace());
    }

    /** Looks at a task again. */
    public void trigger(AgentTask task) {
        triggers.propagateEvent(ResourceID.fromResource(task));
    }

    /** Starts to take results; call it when the caches are filled, or results of live tasks would seem unknown. */
    public AutoCloseable takeResults(TaskIndex tasks) {
        return connections.results("").consume(delivery -> {
            final Optional<AgentTask> task = tasks.byUid(delivery.event().taskId());
            if (task.isEmpty() || task.get().isFinished()) {
                // Unknown here: an outside producer's, or deleted. The stream keeps it.
                delivery.ack();
                return;
            }
            inbox.put(delivery);
            trigger(task.get());
        });
    }

    @Override
    public List<EventSource<?, AgentTask>> prepareEventSources(EventSourceContext<AgentTask> context) {
        context.getPrimaryCache().addIndexer(BY_UID, task -> List.of(task.uid()));
        context.getPrimaryCache().addIndexer(BY_POOL, task -> List.of(indexKey(poolOf(task))));
        final InformerEventSource<WorkerPool, AgentTask> pools = new InformerEventSource<>(
                InformerEventSourceConfiguration.from(WorkerPool.class, AgentTask.class)
                        .withPrimaryToSecondaryMapper((AgentTask task) -> Set.of(poolOf(task)))
                        .withSecondaryToPrimaryMapper(pool ->
                                context
                                        .getPrimaryCache()
                                        .byIndex(BY_POOL, indexKey(ResourceID.fromResource(pool)))
                                        .stream()
                                        .filter(AgentTaskReconciler::waitsForItsPool)
                                        .map((HasMetadata task) -> ResourceID.fromResource(task))
                                        .collect(Collectors.toSet()))
                        .build(),
                context);
        return List.of(pools, triggers);
    }

    private static boolean waitsForItsPool(AgentTask task) {
        return task.observedStatus()
                .map(AgentTaskStatus::phase)
                .map(Phase.Pending::equals)
                .orElse(true);
    }

    static String indexKey(ResourceID pool) {
        return pool.getNamespace().orElse("") + "/" + pool.getName();
    }
}
