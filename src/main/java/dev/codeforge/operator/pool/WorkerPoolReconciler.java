package dev.codeforge.operator.pool;

import dev.codeforge.api.Names;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.api.WorkerPoolStatus;
import dev.codeforge.jetstream.Connections;
import dev.codeforge.operator.framework.RecreatedPrimaries;
import dev.codeforge.operator.framework.Requeue;
import dev.codeforge.operator.index.PoolIndex;
import dev.codeforge.operator.index.TaskIndex;
import dev.codeforge.operator.logging.FailureLog;
import dev.codeforge.operator.logging.LogFields;
import dev.codeforge.operator.pool.access.WorkerAccess;
import dev.codeforge.operator.pool.workers.EvictionShield;
import dev.codeforge.operator.pool.workers.NatsMounts;
import dev.codeforge.operator.pool.workers.PoolNetwork;
import dev.codeforge.operator.pool.workers.PoolSecret;
import dev.codeforge.operator.pool.workers.ShortGrace;
import dev.codeforge.operator.pool.workers.SpentWorkers;
import dev.codeforge.operator.pool.workers.StartTroubles;
import dev.codeforge.operator.pool.workers.WorkerDeployment;
import dev.codeforge.operator.pool.workers.WorkerWalls;
import dev.codeforge.operator.results.OperatorEvents;
import dev.codeforge.operator.scaling.ReplicaPlanner;
import dev.codeforge.operator.scaling.ScaleUpBarrier;
import dev.codeforge.operator.scaling.WorkerScale;
import dev.codeforge.operator.settings.OperatorSettings;
import dev.codeforge.operator.status.EventRecorder;
import dev.codeforge.operator.status.ReconcileError;
import dev.codeforge.operator.status.StatusWriter;
import dev.codeforge.operator.time.Clocks;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.javaoperatorsdk.operator.api.config.informer.InformerEventSourceConfiguration;
import io.javaoperatorsdk.operator.api.monitoring.Metrics;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.ErrorStatusUpdateControl;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.api.reconciler.PrimaryUpdateAndCacheUtils;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.RetryInfo;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.javaoperatorsdk.operator.processing.event.source.inbound.SimpleInboundEventSource;
import io.javaoperatorsdk.operator.processing.event.source.informer.InformerEventSource;
import java.net.HttpURLConnection;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Keeps a pool's queue and workers, and ends both when the pool is deleted. */
public final class WorkerPoolReconciler implements Reconciler<WorkerPool> {
    public static final String FINALIZER = "codeforge.dev/workerpool";

    private final PoolPlanner planner;
    private final PoolExecutor executor;
    private final PoolStatusBuilder statuses;
    private final StatusWriter<WorkerPoolStatus, WorkerPool> writer = new StatusWriter<>(WorkerPool::new);
    private final PoolWarnings warnings;
    private final PoolObserver observer;
    private final EvictionShield shield;
    private final ShortGrace shortGrace;
    private final TaskIndex tasks;
    private final PoolIndex pools;
    private final ScaleUpBarrier wanted;
    private final PoolListener listener;
    private final Clock clock;
    private final PoolMemories memories = new PoolMemories();
    private final PoolRequeue requeueAfter = new PoolRequeue(memories);
    private final SimpleInboundEventSource<WorkerPool> triggers = new SimpleInboundEventSource<>("queue");
    private final FailureLog failures;
    private final RecreatedPrimaries<WorkerPool> recreations = new RecreatedPrimaries<>(WorkerPool.class);

    public WorkerPoolReconciler(
            KubernetesClient client,
            Connections connections,
            OperatorSettings settings,
            WorkerAccess access,
            String installation,
            OperatorEvents operatorEvents,
            EventRecorder events,
            FailureLog failures,
            TaskIndex tasks,
            PoolIndex pools,
            ScaleUpBarrier wanted,
            PoolListener listener,
            Clocks clocks) {
        final Clock clock = clocks.own();
        final QueueKeeper queues =
                new QueueKeeper(connections, access, settings.subjectTemplate(), installation, clock);
        this.planner = new PoolPlanner(clocks);
        this.executor = new PoolExecutor(
                client,
                connections,
                queues,
                new WorkerDeployment(
                        settings.workerImages(),
                        settings.imagePullPolicy(),
                        settings.workerDefaults(),
                        settings.podName(),
                        settings.telemetry(),
                        NatsMounts.of(settings.nats())),
                new WorkerScale(client),
                new PoolFiles(connections, settings.filesBytes(), installation, clock),
                new PoolNetwork(
                        client, settings.workerDefaults(), settings.nats().url(), clock),
                new PoolSecret(client, access, settings.telemetry(), clock),
                operatorEvents,
                tasks,
                clock);
        this.statuses = new PoolStatusBuilder(queues, access, clock);
        this.warnings = new PoolWarnings(connections, events);
        this.observer = new PoolObserver(
                client,
                queues,
                new WorkerWalls(connections, clock),
                new StartTroubles(client, clock),
                new SpentWorkers(connections, clock),
                tasks,
                clocks);
        this.shield = new EvictionShield(client);
        this.shortGrace = new ShortGrace(connections);
        this.tasks = tasks;
        this.failures = failures;
        this.pools = pools;
        this.wanted = wanted;
        this.listener = listener;
        this.clock = clock;
    }

    @Override
    public UpdateControl<WorkerPool> reconcile(WorkerPool handedOver, Context<WorkerPool> context) {
        final Runnable end = wanted.begin(ResourceID.fromResource(handedOver));
        try (LogFields ignored = LogFields.of(handedOver)) {
            final UpdateControl<WorkerPool> done =
                    recreations.reconcile(handedOver, context, (pool, deleted) -> serve(pool, deleted, context));
            failures.succeeded(handedOver.getMetadata().getUid());
            return done;
        } finally {
            end.run();
        }
    }

    private UpdateControl<WorkerPool> serve(WorkerPool pool, boolean deleted, Context<WorkerPool> context) {
        if (deleted || (pool.isTerminating() && !pool.hasFinalizer(FINALIZER))) {
            memories.forget(pool);
            return UpdateControl.noUpdate();
        }
        final PoolMemory memory = memories.of(pool);
        if (memory.isReleased()) {
            // The cache is stale: a second removal would fail where the namespace is gone too.
            return UpdateControl.noUpdate();
        }
        if (!pool.isTerminating() && !pool.hasFinalizer(FINALIZER)) {
            PrimaryUpdateAndCacheUtils.addFinalizer(context, FINALIZER);
            return Requeue.atOnce();
        }
        PoolSnapshot snapshot = observer.observe(pool, memory, context);
        PoolOutcome outcome = executor.execute(snapshot, memory, planner.plan(snapshot));
        // At most twice: the second time when the drain timeout has passed in between.
        while (outcome instanceof PoolOutcome.Provisioned provisioned) {
            snapshot = snapshot.with(provisioned.queue());
            outcome = executor.execute(snapshot, memory, planner.plan(snapshot));
        }
        if (outcome instanceof PoolOutcome.Removed) {
            release(memory, context);
            return UpdateControl.noUpdate();
        }
        shortGrace.send(pool, memory.graces(), snapshot.pods());
        shield.carryOut(EvictionShield.changes(snapshot.pods(), busy(pool), snapshot.deployment()));
        if (grows(snapshot, outcome)) {
            // The next queued task may need one more worker: the status is written when the size has settled.
            return again(pool, PoolRequeue.After.GROWTH);
        }
        final WorkerPoolStatus status = statuses.build(snapshot, outcome);
        if (worthWriting(pool, memory, status)) {
            final Optional<WorkerPoolStatus> stored = write(pool, status, context);
            if (stored.isEmpty()) {
                return Requeue.afterChange();
            }
            listener.status(pool, stored.get());
            warnings.tell(pool, stored.get());
            memory.statusWritten(clock.instant());
        } else if (!status.equals(pool.getStatus())) {
            return again(pool, PoolRequeue.After.A_RECONCILE);
        }
        return again(
                pool,
                isFixed(pool, memory, outcome) ? PoolRequeue.After.NOTHING_TO_FOLLOW : PoolRequeue.After.A_RECONCILE);
    }

    private Optional<WorkerPoolStatus> write(WorkerPool pool, WorkerPoolStatus status, Context<WorkerPool> context) {
        return writer.write(pool, status, why -> statuses.smallest(pool, status, why), context);
    }

    /** Names of the pods that run AgentTasks; tasks of outside producers have no status. */
    private Set<String> busy(WorkerPool pool) {
        return tasks
                .runningOf(pool.getMetadata().getNamespace(), pool.getMetadata().getName())
                .stream()
                .map(task -> task.getStatus().podName())
                .collect(Collectors.toSet());
    }

    private UpdateControl<WorkerPool> again(WorkerPool pool, PoolRequeue.After last) {
        return Requeue.after(requeueAfter.in(pool, last));
    }

    private static boolean grows(PoolSnapshot snapshot, PoolOutcome outcome) {
        return outcome instanceof PoolOutcome.Served served
                && snapshot.replicas()
                        .filter(size -> served.workers().decision().desired() > size)
                        .isPresent();
    }

    private static boolean isFixed(WorkerPool pool, PoolMemory memory, PoolOutcome outcome) {
        return outcome instanceof PoolOutcome.Served served
                && served.workers().decision().why() == ReplicaPlanner.Why.Fixed
                && !pool.getSpec().isolation().workerPerTask()
                && !memory.starts().awaitsAny()
                && served.workers().decision().desired() == pool.getSpec().replicas();
    }

    /** Counts change with every task and pod: a change of counts alone is written at most once a tick. */
    private boolean worthWriting(WorkerPool pool, PoolMemory memory, WorkerPoolStatus status) {
        final WorkerPoolStatus before = pool.observedStatus().orElseGet(WorkerPoolStatus::unobserved);
        return !status.saysTheSameAs(before)
                || !clock.instant().isBefore(memory.statusWritten().plus(PoolRequeue.TICK));
    }

    /** The pool's conditions say why, and the framework retries for ever. */
    @Override
    public ErrorStatusUpdateControl<WorkerPool> updateErrorStatus(
            WorkerPool pool, Context<WorkerPool> context, Exception error) {
        final ReconcileError why = ReconcileError.of(error);
        final int before =
                context.getRetryInfo().map(RetryInfo::getAttemptCount).orElse(0);
        try (LogFields ignored = LogFields.of(pool)) {
            failures.failed(pool.getMetadata().getUid(), why, error, before);
        }
        if (why.isWorthSaying(before) && recreations.isAlone(pool, context)) {
            final WorkerPoolStatus status = statuses.failed(pool, why);
            try {
                write(pool, status, context).ifPresent(stored -> warnings.tell(pool, stored));
            } catch (KubernetesClientException e) {
                warnings.tellUnwritten(pool, status, before);
            }
        }
        return ErrorStatusUpdateControl.defaultErrorProcessing();
    }

    private static void release(PoolMemory memory, Context<WorkerPool> context) {
        try {
            PrimaryUpdateAndCacheUtils.removeFinalizer(context, FINALIZER);
        } catch (KubernetesClientException e) {
            // The cache was stale: the pool is gone, as was wanted.
            if (e.getCode() != HttpURLConnection.HTTP_NOT_FOUND) {
                throw e;
            }
        }
        memory.released();
    }

    /** Reconciles a pool because its queue has changed. */
    public void trigger(ResourceID pool) {
        memories.queueChanged(pool);
        triggers.propagateEvent(pool);
    }

    @Override
    public List<EventSource<?, WorkerPool>> prepareEventSources(EventSourceContext<WorkerPool> context) {
        pools.in(context.getPrimaryCache());
        final InformerEventSource<Pod, WorkerPool> pods = new InformerEventSource<>(
                InformerEventSourceConfiguration.from(Pod.class, WorkerPool.class)
                        .withLabelSelector(Names.POOL_LABEL)
                        .withSecondaryToPrimaryMapper(WorkerPoolReconciler::poolOf)
                        .build(),
                context);
        pods.addIndexers(PoolObserver.podIndex());
        return List.of(
                new InformerEventSource<>(
                        InformerEventSourceConfiguration.from(Deployment.class, WorkerPool.class)
                                .withLabelSelector(Names.POOL_LABEL)
                                .withSecondaryToPrimaryMapper(WorkerPoolReconciler::poolOf)
                                .build(),
                        context),
                pods,
                triggers,
                recreations.in(context.getPrimaryCache()));
    }

    /** The framework reports to it which names it forgets. */
    public Metrics recreations() {
        return recreations;
    }

    static Set<ResourceID> poolOf(HasMetadata resource) {
        return Set.of(new ResourceID(
                resource.getMetadata().getLabels().get(Names.POOL_LABEL),
                resource.getMetadata().getNamespace()));
    }
}
