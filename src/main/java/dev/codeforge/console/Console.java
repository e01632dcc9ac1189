package dev.codeforge.console;

import dev.codeforge.console.http.LiveServer;
import dev.codeforge.console.hub.Hub;
import dev.codeforge.console.hub.Traffic;
import dev.codeforge.console.identity.KubernetesCallers;
import dev.codeforge.console.kubernetes.Resources;
import dev.codeforge.jetstream.LiveStreams;
import dev.codeforge.probes.HttpEndpoints;
import dev.codeforge.probes.HttpEndpoints.Health;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The console's parts, wired together. */
public final class Console implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Console.class);

    private final LiveStreams streams;
    private final Hub hub;
    private final Resources resources;
    private final KubernetesCallers callers;
    private final LiveServer server;
    private final HttpEndpoints health;
    private volatile boolean stopping;

    public Console(ConsoleSettings settings, KubernetesClient client) throws IOException {
        final Clock clock = Clock.systemUTC();
        final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        new JvmMemoryMetrics().bindTo(registry);
        this.streams = LiveStreams.of(settings.nats(), "codeforge-console");
        this.hub = new Hub(streams, settings.limits(), traffic(registry), clock);
        Gauge.builder("codeforge_live_clients", hub, of -> of.clients().size())
                .description("Open WebSockets and streams of server-sent events.")
                .register(registry);
        hub.start();
        this.resources = new Resources(client, settings.namespaces(), hub::put, hub::remove, hub::filled);
        this.callers = new KubernetesCallers(client.getConfiguration(), settings.freshness());
        this.server = new LiveServer(settings, hub, callers);
        this.health = new HttpEndpoints(settings.healthPort(), this::live, this::ready, registry::scrape);
    }

    private static Traffic traffic(PrometheusMeterRegistry registry) {
        final Counter sent = Counter.builder("codeforge_live_messages")
                .description("Messages sent to clients.")
                .register(registry);
        final Counter gaps = Counter.builder("codeforge_live_gaps")
                .description("Times that something was missed over core NATS and read from the stream.")
                .register(registry);
        final Counter dropped = Counter.builder("codeforge_live_dropped_clients")
                .description("Clients that did not read what was sent, and were dropped.")
                .register(registry);
        final Timer lag = Timer.builder("codeforge_live_lag")
                .description("How long what is sent has waited for its client, by the oldest message of a frame.")
                .serviceLevelObjectives(
                        Duration.ofMillis(50),
                        Duration.ofMillis(100),
                        Duration.ofMillis(250),
                        Duration.ofMillis(500),
                        Duration.ofSeconds(1),
                        Duration.ofSeconds(5))
                .register(registry);
        return new Traffic() {
            @Override
            public void sent(int messages, Duration waited) {
                sent.increment(messages);
                lag.record(waited);
            }

            @Override
            public void gap() {
                gaps.increment();
            }

            @Override
            public void dropped() {
                dropped.increment();
            }
        };
    }

    /** @return the port of the server */
    public int start() {
        final int port = server.start();
        LOG.info(
                "console serves /ws and /events on port {}, without TLS: put an Ingress that has it before them", port);
        return port;
    }

    /** The port of probes and metrics. */
    public int healthPort() {
        return health.port();
    }

    private Health live() {
        return streams.isLost()
                ? new Health(false, "NATS refused the connection for good: a restart reads the new credential")
                : new Health(true, "alive");
    }

    private Health ready() {
        if (stopping) {
            return new Health(false, "stopping");
        }
        if (!resources.isWatching()) {
            return new Health(false, "the API server is not watched: look at the log and the console's rights");
        }
        return new Health(true, streams.isConnected() ? "ready" : "ready; NATS is away");
    }

    @Override
    public void close() {
        stopping = true;
        hub.close();
        server.close();
        callers.close();
        resources.close();
        streams.close();
        health.close();
        LOG.info("console stopped");
    }
}
