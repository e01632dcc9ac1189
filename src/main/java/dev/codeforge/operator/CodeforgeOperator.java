package dev.codeforge.operator;

import dev.codeforge.jetstream.Connections;
import dev.codeforge.jetstream.Consumption;
import dev.codeforge.operator.deadletter.AdvisoryInbox;
import dev.codeforge.operator.deadletter.Burial;
import dev.codeforge.operator.deadletter.ExhaustedSweep;
import dev.codeforge.operator.deadletter.PoolQueues;
import dev.codeforge.operator.framework.RecordCloner;
import dev.codeforge.operator.framework.UnlimitedRetry;
import dev.codeforge.operator.index.PoolIndex;
import dev.codeforge.operator.index.TaskIndex;
import dev.codeforge.operator.leadership.Leadership;
import dev.codeforge.operator.logging.FailureLog;
import dev.codeforge.operator.metrics.PoolGauges;
import dev.codeforge.operator.metrics.PoolMetrics;
import dev.codeforge.operator.metrics.TaskMetrics;
import dev.codeforge.operator.pool.WorkerPoolReconciler;
import dev.codeforge.operator.results.DeletedTaskEnd;
import dev.codeforge.operator.results.OperatorEvents;
import dev.codeforge.operator.results.TaskResults;
import dev.codeforge.operator.scaling.ScaleUpBarrier;
import dev.codeforge.operator.secrets.DispatchKeySecret;
import dev.codeforge.operator.service.AgentsService;
import dev.codeforge.operator.service.WaitingReplies;
import dev.codeforge.operator.settings.OperatorSettings;
import dev.codeforge.operator.status.EventRecorder;
import dev.codeforge.operator.sweep.HistorySweep;
import dev.codeforge.operator.sweep.LedgerSweep;
import dev.codeforge.operator.sweep.LeftoverSweep;
import dev.codeforge.operator.sweep.LostMessageSweep;
import dev.codeforge.operator.sweep.OrphanSweep;
import dev.codeforge.operator.sweep.Sweeps;
import dev.codeforge.operator.task.AgentTaskReconciler;
import dev.codeforge.operator.task.FinishedTasks;
import dev.codeforge.operator.task.TaskListener;
import dev.codeforge.operator.time.ApiServerTime;
import dev.codeforge.operator.time.Clocks;
import dev.codeforge.operator.time.RemoteClock;
import dev.codeforge.operator.tracing.OtlpTracing;
import dev.codeforge.operator.tracing.Tracing;
import dev.codeforge.probes.HttpEndpoints;
import dev.codeforge.probes.HttpEndpoints.Health;
import dev.codeforge.wire.DispatchKey;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.javaoperatorsdk.operator.Operator;
import io.javaoperatorsdk.operator.api.config.ConfigurationServiceOverrider;
import io.javaoperatorsdk.operator.api.config.ControllerConfigurationOverrider;
import io.javaoperatorsdk.operator.api.monitoring.AggregatedMetrics;
import io.javaoperatorsdk.operator.api.monitoring.Metrics;
import io.javaoperatorsdk.operator.monitoring.micrometer.MicrometerMetrics;
import io.javaoperatorsdk.operator.processing.event.rate.LinearRateLimiter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The operator's parts, wired together. */
public final class CodeforgeOperator implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(CodeforgeOperator.class);
    private static final String FIELD_MANAGER = "codeforge-operator";
    /** The first event of a burst reconciles the pool at once, those that follow together. */
    private static final Duration POOL_LOOKS = Duration.ofMillis(50);

    private static final Duration STOP = Duration.ofSeconds(10);

    private final OperatorSettings settings;
    private final KubernetesClient client;
    private final Connections connections;
    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final Operator operator;
    private final Sweeps sweeps;
    private final HttpEndpoints http;
    private final TaskResults results;
    private final AdvisoryInbox deadMessages;
    private final AgentsService agents;
    private final Tracing tracing;
    private final Leadership leadership;
    private final PoolGauges poolGauges;
    private volatile boolean leads;
    private volatile AutoCloseable requests = () -> {};
    private volatile Optional<Consumption> advisories = Optional.empty();

    public CodeforgeOperator(OperatorSettings settings, KubernetesClient client) throws IOException {
        this.settings = settings;
        this.client = client;
        final String installation = client.namespaces()
                .withName("kube-system")
                .require()
                .getMetadata()
                .getUid();
        final Clock clock = Clock.systemUTC();
        final TaskIndex taskIndex = new TaskIndex();
        final PoolIndex poolIndex = new PoolIndex();
        final DispatchKey key = DispatchKeySecret.readOrCreate(client, settings.namespace());
        final NatsWiring nats =
                NatsWiring.of(settings.nats(), client, settings.namespace(), installation, poolIndex, clock);
        this.connections = nats.connections();
        this.leadership = new Leadership(settings, client, connections, installation, this::lead);
        this.tracing = OtlpTracing.of(settings.telemetry());
        final EventRecorder events = new EventRecorder(client, settings.podName(), clock);
        new JvmMemoryMetrics().bindTo(registry);
        final RemoteClock natsClock = new RemoteClock(connections::time);
        connections.onConnect(natsClock::askAnew);
        final Clocks clocks = new Clocks(clock, natsClock, new RemoteClock(() -> ApiServerTime.of(client)));
        final OperatorEvents operatorEvents = new OperatorEvents(key, natsClock);
        final FailureLog failures = new FailureLog();
        final ScaleUpBarrier scaleUps = new ScaleUpBarrier();
        final WorkerPoolReconciler pools = new WorkerPoolReconciler(
                client,
                connections,
                settings,
                nats.access(),
                installation,
                operatorEvents,
                events,
                failures,
                taskIndex,
                poolIndex,
                scaleUps,
                new PoolMetrics(registry),
                clocks);
        final WaitingReplies waiting = new WaitingReplies(clock);
        this.results = new TaskResults(connections, key, taskIndex, waiting::event);
        final OrphanSweep orphans = new OrphanSweep(
                taskIndex,
                poolIndex,
                client,
                connections,
                new DeletedTaskEnd(connections, operatorEvents),
                installation);
        gauges(waiting);
        this.poolGauges = new PoolGauges(registry, taskIndex, poolIndex, clock);
        final AgentTaskReconciler tasks = new AgentTaskReconciler(
                client,
                connections,
                key,
                installation,
                taskIndex,
                results,
                events,
                failures,
                pools::trigger,
                scaleUps,
                orphans::withdrawWaiting,
                TaskListener.of(List.of(waiting, new TaskMetrics(registry))),
                tracing,
                clocks);
        this.agents = new AgentsService(client, connections, taskIndex, poolIndex, waiting);
        final PoolQueues queues = new PoolQueues(poolIndex);
        final Burial burial = new Burial(connections, operatorEvents, key, installation);
        this.deadMessages = new AdvisoryInbox(queues, taskIndex, connections, operatorEvents, burial);
        this.sweeps = new Sweeps(
                Stream.concat(
                                Stream.of(
                                        new LostMessageSweep(taskIndex, connections, tasks::trigger),
                                        results::sweep,
                                        tasks::retryBacklogs,
                                        orphans,
                                        new LeftoverSweep(
                                                taskIndex,
                                                poolIndex,
                                                client,
                                                connections,
                                                installation,
                                                settings.watchNamespaces(),
                                                clock),
                                        new ExhaustedSweep(queues, connections, burial),
                                        new LedgerSweep(taskIndex, tasks::renewKey, clock, new Random()),
                                        new HistorySweep(taskIndex, poolIndex, new FinishedTasks(client)::delete),
                                        agents.sweep()),
                                nats.sweeps().stream())
                        .toList(),
                settings.sweepPeriod(),
                registry);
        final Metrics metrics = new AggregatedMetrics(List.of(
                MicrometerMetrics.withoutPerResourceMetrics(registry), tasks.recreations(), pools.recreations()));
        this.operator = new Operator(overrider -> configure(overrider, metrics));
        // Tasks first: a pool's reconcile asks for the tasks it has.
        operator.register(tasks, this::controller);
        operator.register(pools, overrider -> {
            controller(overrider);
            overrider.withRateLimiter(new LinearRateLimiter(POOL_LOOKS, 1));
        });
        this.http = new HttpEndpoints(settings.httpPort(), this::live, this::ready, this::scrape);
    }

    private void gauges(WaitingReplies waiting) {
        Gauge.builder("codeforge.requests.waiting", waiting, WaitingReplies::size)
                .description("Requests on agents.> that wait for the end of their task.")
                .register(registry);
        Gauge.builder("codeforge.nats.connected", connections, nats -> nats.isConnected() ? 1 : 0)
                .description("1 while the operator is connected to NATS, else 0.")
                .register(registry);
        Gauge.builder("codeforge.leading", this, operator -> operator.leads ? 1 : 0)
                .description("1 if this instance works, 0 if it stands by.")
                .register(registry);
    }

    /** One at a time: a refresh takes the rows of another scrape away for a moment. */
    private synchronized String scrape() {
        poolGauges.refresh();
        return registry.scrape();
    }

    private void configure(ConfigurationServiceOverrider overrider, Metrics metrics) {
        overrider
                .withKubernetesClient(client)
                .withMetrics(metrics)
                .withResourceCloner(new RecordCloner())
                .withCloseClientOnStop(false)
                .withUseSSAToPatchPrimaryResource(true)
                // The task reconciler bounds itself: a pool must not wait behind a thousand tasks.
                .withExecutorService(Executors.newVirtualThreadPerTaskExecutor())
                .withReconciliationTerminationTimeout(STOP)
                // The API server may be away when we start: keep trying instead of giving up.
                .withStopOnInformerErrorDuringStartup(false);
        leadership.configuration().ifPresent(overrider::withLeaderElectionConfiguration);
    }

    private <R extends HasMetadata> void controller(ControllerConfigurationOverrider<R> overrider) {
        overrider
                .withRetry(new UnlimitedRetry())
                .withFieldManager(FIELD_MANAGER)
                .withGenerationAware(true)
                .withTriggerReconcilerOnAllEvents(true);
        if (settings.watchNamespaces().isEmpty()) {
            overrider.watchingAllNamespaces();
        } else {
            overrider.settingNamespaces(settings.watchNamespaces());
        }
    }

    /** Returns when the caches are filled; one of several instances then works, the others stand by. */
    public void start() {
        if (leadership.await()) {
            operator.start();
            leadership.start();
        }
    }

    /** Only the leader takes results and requests: one that stands by would hold them back. */
    private void lead() {
        results.begin();
        advisories = Optional.of(deadMessages.open());
        sweeps.start();
        requests = agents.open();
        leads = true;
        LOG.info("operator works");
    }

    private Health live() {
        if (connections.isLost()) {
            return new Health(false, "NATS refused the connection for good: a restart reads the Secret anew");
        }
        if (!results.isAlive()) {
            return new Health(false, "no results were taken for minutes: their thread hangs");
        }
        if (advisories.filter(taking -> !taking.isAlive()).isPresent()) {
            return new Health(false, "no advisories were taken for minutes: their thread hangs");
        }
        return sweeps.isAlive()
                ? new Health(true, "alive")
                : new Health(false, "no sweep has ended for minutes: their thread hangs");
    }

    /** NATS away is no reason to be unready: conditions say so, and a restart would not help. */
    private Health ready() {
        if (leadership.problem().isPresent()) {
            return new Health(false, leadership.problem().get());
        }
        final boolean synced = operator.getRuntimeInfo().isStarted()
                && operator.getRuntimeInfo().unhealthyEventSources().values().stream()
                        .allMatch(Map::isEmpty);
        return synced
                ? new Health(true, connections.isConnected() ? "ready" : "ready; NATS is away")
                : new Health(false, "the caches are not filled");
    }

    @Override
    public void close() {
        LOG.info("operator stops");
        leadership.close();
        sweeps.close();
        try {
            requests.close();
        } catch (Exception e) {
            LOG.warn("requests that wait were not answered: {}", e.getMessage());
        }
        results.end();
        advisories.ifPresent(Consumption::close);
        // Returns when no reconcile is under way, or after STOP: then the next leader may begin.
        operator.stop();
        leadership.release();
        connections.close();
        tracing.close();
        http.close();
        LOG.info("operator stopped");
    }
}
