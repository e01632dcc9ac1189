package dev.codeforge.operator;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.identity.AccountPlanner;
import dev.codeforge.identity.Login;
import dev.codeforge.identity.Mint;
import dev.codeforge.jetstream.Accounts;
import dev.codeforge.jetstream.Connections;
import dev.codeforge.jetstream.NatsAccess;
import dev.codeforge.jetstream.NatsConnections;
import dev.codeforge.operator.deadletter.AdvisoryInbox;
import dev.codeforge.operator.deadletter.Burial;
import dev.codeforge.operator.deadletter.ExhaustedSweep;
import dev.codeforge.operator.deadletter.PoolQueues;
import dev.codeforge.operator.framework.RecordCloner;
import dev.codeforge.operator.framework.UnlimitedRetry;
import dev.codeforge.operator.leadership.LeaderLease;
import dev.codeforge.operator.leadership.LeaseWatch;
import dev.codeforge.operator.leadership.ReleaseClaim;
import dev.codeforge.operator.pool.AccountSweep;
import dev.codeforge.operator.pool.DelegatedAccess;
import dev.codeforge.operator.pool.GivenAccess;
import dev.codeforge.operator.pool.PoolIdentities;
import dev.codeforge.operator.pool.SharedAccounts;
import dev.codeforge.operator.pool.WorkerAccess;
import dev.codeforge.operator.pool.WorkerPoolReconciler;
import dev.codeforge.operator.scaling.ScaleUpBarrier;
import dev.codeforge.operator.secrets.DispatchKeySecret;
import dev.codeforge.operator.secrets.NatsIdentity;
import dev.codeforge.operator.service.AgentsService;
import dev.codeforge.operator.service.WaitingReplies;
import dev.codeforge.operator.settings.NatsSettings;
import dev.codeforge.operator.settings.OperatorSettings;
import dev.codeforge.operator.status.EventRecorder;
import dev.codeforge.operator.sweep.HistorySweep;
import dev.codeforge.operator.sweep.LastEvents;
import dev.codeforge.operator.sweep.LedgerSweep;
import dev.codeforge.operator.sweep.LeftoverSweep;
import dev.codeforge.operator.sweep.OrphanSweep;
import dev.codeforge.operator.sweep.Sweep;
import dev.codeforge.operator.sweep.Sweeps;
import dev.codeforge.operator.sweep.UnfinishedSweep;
import dev.codeforge.operator.task.AgentTaskReconciler;
import dev.codeforge.operator.task.FinishedTasks;
import dev.codeforge.operator.task.OperatorEvents;
import dev.codeforge.operator.task.TaskIndex;
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
import io.fabric8.kubernetes.client.extended.leaderelection.LeaderCallbacks;
import io.javaoperatorsdk.operator.Operator;
import io.javaoperatorsdk.operator.RegisteredController;
import io.javaoperatorsdk.operator.api.config.ConfigurationServiceOverrider;
import io.javaoperatorsdk.operator.api.config.ControllerConfigurationOverrider;
import io.javaoperatorsdk.operator.api.config.LeaderElectionConfigurationBuilder;
import io.javaoperatorsdk.operator.api.monitoring.AggregatedMetrics;
import io.javaoperatorsdk.operator.api.monitoring.Metrics;
import io.javaoperatorsdk.operator.api.reconciler.IndexedResourceCache;
import io.javaoperatorsdk.operator.monitoring.micrometer.MicrometerMetrics;
import io.javaoperatorsdk.operator.processing.Controller;
import io.javaoperatorsdk.operator.processing.event.rate.LinearRateLimiter;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The operator's parts, wired together. */
public final class CodeforgeOperator implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(CodeforgeOperator.class);
    private static final String FIELD_MANAGER = "codeforge-operator";
    /** The first event of a burst is looked at at once, those that follow together. */
    private static final Duration POOL_LOOKS = Duration.ofMillis(50);

    private static final String LEASE = "codeforge-operator";
    private static final Duration LEASE_LASTS = Duration.ofSeconds(15);
    private static final int LEASE_LOST = 1;
    /** How often NATS is told that this release works. */
    private static final Duration CLAIM = Duration.ofSeconds(30);

    private static final Duration STOP = Duration.ofSeconds(10);

    private final OperatorSettings settings;
    private final KubernetesClient client;
    private final Connections connections;
    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final Operator operator;
    private final AgentTaskReconciler tasks;
    private final WorkerPoolReconciler pools;
    private final Sweeps sweeps;
    private final HttpEndpoints http;
    private final AtomicReference<TaskIndex> index = new AtomicReference<>();
    private final AtomicReference<IndexedResourceCache<WorkerPool>> poolCache = new AtomicReference<>();
    private final AdvisoryInbox deadMessages;
    private final AgentsService agents;
    private final Tracing tracing;
    private final ReleaseClaim claim;
    private final LeaseWatch leaseWatch;
    private volatile boolean closing;
    private volatile AutoCloseable requests = () -> {};
    private volatile AutoCloseable results = () -> {};
    private volatile AutoCloseable advisories = () -> {};

    public CodeforgeOperator(OperatorSettings settings, KubernetesClient client) throws IOException {
        this.settings = settings;
        this.client = client;
        final String installation = client.namespaces()
                .withName("kube-system")
                .require()
                .getMetadata()
                .getUid();
        final Clock clock = Clock.systemUTC();
        final DispatchKey key = DispatchKeySecret.readOrCreate(client, settings.namespace());
        final WorkerAccess access;
        final List<Sweep> ofAccounts;
        switch (settings.nats()) {
            case NatsSettings.Given given -> {
                this.connections = new NatsConnections(given.operator(), installation);
                access = new GivenAccess(given, () -> poolCache.get().list());
                ofAccounts = List.of();
            }
            case NatsSettings.AccountSigningKey delegated -> {
                this.connections = new NatsConnections(delegated.operator(), installation);
                access = new DelegatedAccess(delegated, clock);
                ofAccounts = List.of();
            }
            case NatsSettings.Minted minted -> {
                final NatsIdentity identity = NatsIdentity.readOrCreate(client, settings.namespace(), clock);
                identity.applyUsers(client, settings.namespace());
                final Mint mint = identity.mint();
                final Accounts accounts =
                        new Accounts(NatsAccess.Minted.of(minted.url(), () -> mint.system(clock.instant())));
                this.connections = new NatsConnections(
                        NatsAccess.Minted.of(minted.url(), () -> mint.streams("operator", clock.instant())),
                        installation);
                access = new PoolIdentities(
                        client, connections, accounts, mint, minted.url(), minted.credentialLifetime(), clock);
                ofAccounts = List.of(new AccountSweep(client, accounts, new AccountPlanner(mint, clock)));
            }
            case NatsSettings.OperatorSigningKey trusted -> {
                final NatsIdentity identity = NatsIdentity.readOrCreate(client, settings.namespace(), clock)
                        .signedBy(trusted.signing());
                identity.applyUsers(client, settings.namespace());
                final Mint mint = identity.mint();
                final Accounts accounts = new Accounts(trusted.system());
                final SharedAccounts shared = new SharedAccounts(accounts, new AccountPlanner(mint, clock));
                final Login operator = mint.streams("operator", clock.instant());
                this.connections = new NatsConnections(
                        new NatsAccess.Minted(trusted.url(), operator.key(), () -> {
                            shared.keepIfPossible();
                            return operator.jwt();
                        }),
                        installation);
                access = new PoolIdentities(
                        client, connections, accounts, mint, trusted.url(), trusted.credentialLifetime(), clock);
                ofAccounts = List.of(new AccountSweep(client, accounts, new AccountPlanner(mint, clock)));
            }
        }
        this.claim = new ReleaseClaim(
                connections, installation, settings.namespace() + "/" + settings.release(), CLAIM, this::end);
        this.tracing = OtlpTracing.of(settings.telemetry());
        final EventRecorder events = new EventRecorder(client, settings.podName(), clock);
        new JvmMemoryMetrics().bindTo(registry);
        final RemoteClock natsClock = new RemoteClock(connections::time);
        connections.onConnect(natsClock::askAnew);
        final Clocks clocks = new Clocks(clock, natsClock, new RemoteClock(() -> ApiServerTime.of(client)));
        final OperatorEvents operatorEvents = new OperatorEvents(key, natsClock);
        final ScaleUpBarrier scaleUps = new ScaleUpBarrier();
        this.pools = new WorkerPoolReconciler(
                client,
                connections,
                settings,
                access,
                installation,
                operatorEvents,
                events,
                index::get,
                scaleUps,
                clocks);
        final LastEvents lastEvents = new LastEvents(connections, key);
        final OrphanSweep orphans = new OrphanSweep(
                index::get, poolCache::get, client, connections, lastEvents, operatorEvents, installation);
        final WaitingReplies waiting = new WaitingReplies(clock);
        registry.gauge("codeforge_requests_waiting", waiting, WaitingReplies::size);
        this.tasks = new AgentTaskReconciler(
                client,
                connections,
                key,
                installation,
                events,
                pools::trigger,
                scaleUps,
                orphans::withdrawWaiting,
                waiting,
                tracing,
                clocks);
        this.agents = new AgentsService(client, connections, index::get, poolCache::get, waiting);
        final PoolQueues queues = new PoolQueues(poolCache::get);
        final Burial burial = new Burial(connections, operatorEvents, key, installation);
        this.deadMessages = new AdvisoryInbox(queues, index::get, connections, operatorEvents, burial);
        this.sweeps = new Sweeps(
                Stream.concat(
                                Stream.of(
                                        new UnfinishedSweep(index::get, connections, lastEvents, tasks::trigger),
                                        orphans,
                                        new LeftoverSweep(
                                                index::get,
                                                poolCache::get,
                                                client,
                                                connections,
                                                installation,
                                                settings.watchNamespaces(),
                                                clock),
                                        new ExhaustedSweep(queues, connections, burial),
                                        new LedgerSweep(index::get, tasks::renewKey, clock, new Random()),
                                        new HistorySweep(index::get, poolCache::get, new FinishedTasks(client)::delete),
                                        agents.sweep()),
                                ofAccounts.stream())
                        .toList(),
                settings.sweepPeriod());
        final Metrics metrics = new AggregatedMetrics(List.of(
                MicrometerMetrics.withoutPerResourceMetrics(registry), tasks.recreations(), pools.recreations()));
        this.operator = new Operator(overrider -> configure(overrider, metrics));
        // Tasks first: a pool's reconcile asks for the tasks it has.
        index.set(new TaskIndex(cacheOf(operator.register(tasks, this::controller))));
        poolCache.set(cacheOf(operator.register(pools, overrider -> {
            controller(overrider);
            overrider.withRateLimiter(new LinearRateLimiter(POOL_LOOKS, 1));
        })));
        this.leaseWatch = new LeaseWatch(client, settings.namespace(), LEASE, LEASE_LASTS);
        this.http = new HttpEndpoints(settings.httpPort(), this::live, this::ready, registry);
    }

    /** The framework hands its cache to reconcilers only; the sweeps look at all there is. */
    @SuppressWarnings("unchecked")
    private static <R extends HasMetadata> IndexedResourceCache<R> cacheOf(RegisteredController<R> controller) {
        return ((Controller<R>) controller).getEventSourceManager().getControllerEventSource();
    }

    private void configure(ConfigurationServiceOverrider overrider, Metrics metrics) {
        overrider
                .withKubernetesClient(client)
                .withMetrics(metrics)
                .withResourceCloner(new RecordCloner())
                .withCloseClientOnStop(false)
                .withUseSSAToPatchPrimaryResource(true)
                // Who works at once is bounded where tasks are looked at: a pool must not wait behind a thousand of
                // them.
                .withExecutorService(Executors.newVirtualThreadPerTaskExecutor())
                .withReconciliationTerminationTimeout(STOP)
                // The API server may be away when we start: keep trying instead of giving up.
                .withStopOnInformerErrorDuringStartup(false);
        if (settings.leaderElection()) {
            overrider.withLeaderElectionConfiguration(
                    LeaderElectionConfigurationBuilder.aLeaderElectionConfiguration(LEASE)
                            .withLeaseNamespace(settings.namespace())
                            .withIdentity(settings.podName())
                            .withLeaseDuration(LEASE_LASTS)
                            .withRenewDeadline(Duration.ofSeconds(10))
                            .withRetryPeriod(Duration.ofSeconds(2))
                            .withLeaderCallbacks(new LeaderCallbacks(this::lead, this::lost, leader -> {}))
                            // The framework would end a stop that was asked for by System.exit, which waits for
                            // the shutdown hook that asks.
                            .withExitOnStopLeading(false)
                            .build());
        }
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
        claim.await();
        if (closing) {
            return;
        }
        operator.start();
        if (settings.leaderElection()) {
            leaseWatch.start();
        } else {
            lead();
        }
    }

    /** Only the leader takes results and requests: one that stands by would hold them back. */
    private void lead() {
        claim.keep();
        leaseWatch.close();
        results = tasks.takeResults(index.get());
        advisories = deadMessages.open();
        sweeps.start();
        requests = agents.open();
        LOG.info("operator works");
    }

    /** Another one may lead: whatever is under way here ends with the process. */
    private void lost() {
        if (!closing) {
            LOG.error("the lease is lost: the operator ends, and stands by when it is started again");
            end();
        }
    }

    private void end() {
        if (!closing) {
            Thread.ofPlatform().start(() -> System.exit(LEASE_LOST));
        }
    }

    private Health live() {
        return connections.isLost()
                ? new Health(false, "NATS refused the connection for good: a restart reads the Secret anew")
                : new Health(true, "alive");
    }

    /** NATS away is no reason to be unready: conditions say so, and a restart would not help. */
    private Health ready() {
        if (claim.problem().isPresent()) {
            return new Health(false, claim.problem().get());
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
        closing = true;
        claim.close();
        leaseWatch.close();
        sweeps.close();
        for (final AutoCloseable taking : List.of(requests, results, advisories)) {
            try {
                taking.close();
            } catch (Exception e) {
                LOG.warn("what NATS tells was not given back: {}", e.getMessage());
            }
        }
        // Returns when no reconcile is under way, or after STOP: then the next leader may begin.
        operator.stop();
        if (settings.leaderElection()) {
            LeaderLease.release(client, settings.namespace(), LEASE, settings.podName());
        }
        connections.close();
        tracing.close();
        http.close();
        LOG.info("operator stopped");
    }
}
