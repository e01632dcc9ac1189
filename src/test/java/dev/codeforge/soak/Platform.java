package dev.codeforge.soak;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.testing.TestCluster;
import dev.codeforge.testing.TestNats;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.nats.client.Connection;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** API server, NATS as the chart ships it, two operators, and the workers of three pools. */
final class Platform {
    /** Streams of these are purged and deleted. */
    static final List<String> LOSSY_POOLS = List.of("amber", "birch");
    /** Outside producers use this one: what they queued nobody could publish again. */
    static final String OUTSIDE_POOL = "cedar";

    static final List<String> ALL_POOLS = List.of("amber", "birch", OUTSIDE_POOL);

    private static final int WORKERS_A_POOL = 2;

    final TestCluster cluster = new TestCluster();
    final TestNats nats = TestNats.withUsers();
    final Connection connection = nats.connect();
    final String namespace = cluster.newNamespace();
    final FaultLog faults = new FaultLog();
    final Ledger ledger;
    final Operators operators;
    final Workers workers;
    /** The repositories of the tasks; empty where they have none. */
    final Optional<Remote> remote;

    /**
     * @param directory for logs and the ledger; it must be empty
     * @param inRepository whether the tasks work in repositories
     */
    Platform(Path directory, boolean inRepository) throws Exception {
        Files.createDirectories(directory);
        Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().unstarted(nats::close));
        ledger = new Ledger(directory.resolve("ledger"));
        operators = new Operators(directory, client(), cluster.server().config(), nats.endpoint(), namespace);
        workers = new Workers(
                directory,
                nats.workerEndpoint(),
                namespace,
                ledger.script(inRepository),
                faults,
                inRepository ? Optional.of(new Volumes(directory.resolve("volumes"))) : Optional.empty());
        remote = inRepository ? Optional.of(new Remote(directory.resolve("remote"))) : Optional.empty();
        ALL_POOLS.forEach(this::createPool);
        workers.keepAlive();
        // Nobody may start again what ends with this JVM.
        Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().unstarted(workers::close));
        Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().unstarted(operators::close));
    }

    KubernetesClient client() {
        return cluster.client();
    }

    private void createPool(String name) {
        Yaml.create(client(), WorkerPool.class, namespace, name, poolSpec(subjectOf(name)));
        workers.start(name, WORKERS_A_POOL);
    }

    static String poolSpec(String subject) {
        return """
                backend: command
                replicas: %2$d
                tasksPerWorker: 5
                queue:
                  subject: %1$s
                  heartbeatTimeoutSeconds: %3$d
                  maxDeliveries: 50
                taskDefaults: {runTimeoutSeconds: 120}
                """
                .formatted(subject, WORKERS_A_POOL, Workers.ACK_WAIT_SECONDS);
    }

    String subjectOf(String pool) {
        return "tasks." + namespace + "." + pool;
    }
}
