package dev.codeforge.testing.faults;

import static dev.codeforge.testing.Patience.PATIENCE;

import dev.codeforge.jetstream.NatsAccess;
import dev.codeforge.testing.FreePort;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The operator as it is shipped, in a JVM of its own: {@code mvn package} must have made its jar, as it has before each
 * integration test. All control is from outside.
 */
public final class OperatorProcess implements AutoCloseable {
    private static final Path JAR = Path.of("target/codeforge-operator.jar");
    private static final Path LIBRARIES = Path.of("target/lib");
    private final String name;
    private final ChildProcess process;
    private final HttpProbe probe;

    /**
     * @param directory for its log and its configuration; it is made
     * @param name its pod's name, and its identity in leader election
     * @param namespace its own, where its lease and its key are
     * @param kubeconfig content of the file
     * @param settings further environment variables, and other values for those set here
     */
    public OperatorProcess(
            Path directory,
            String name,
            String namespace,
            String kubeconfig,
            NatsAccess.Password nats,
            Map<String, String> settings) {
        if (!Files.exists(JAR) || !Files.isDirectory(LIBRARIES)) {
            throw new IllegalStateException(JAR + " and " + LIBRARIES + " are missing: run mvn package -DskipTests");
        }
        final int port = FreePort.take();
        this.name = name;
        this.probe = new HttpProbe(port);
        final Map<String, String> environment = new HashMap<>(Map.of(
                "CODEFORGE_NAMESPACE",
                namespace,
                "CODEFORGE_POD_NAME",
                name,
                "CODEFORGE_LEADER_ELECTION",
                "false",
                "CODEFORGE_WORKER_IMAGES",
                "{\"command\":\"worker:test\"}",
                "CODEFORGE_SWEEP_SECONDS",
                "5",
                "CODEFORGE_HTTP_PORT",
                Integer.toString(port)));
        final Path home = directory.resolve(name);
        write(home.resolve("kubeconfig"), kubeconfig);
        environment.put("KUBECONFIG", home.resolve("kubeconfig").toString());
        write(home.resolve("nats/url"), nats.url());
        if (!nats.username().isEmpty()) {
            write(home.resolve("nats/username"), nats.username());
            write(home.resolve("nats/password"), nats.password());
            // No worker of these tests reads its pool's Secret.
            write(home.resolve("nats/worker-username"), "worker");
            write(home.resolve("nats/worker-password"), "unused");
        }
        environment.put("CODEFORGE_NATS_DIR", home.resolve("nats").toString());
        environment.putAll(settings);
        this.process = new ChildProcess(
                List.of(
                        Path.of(System.getProperty("java.home"), "bin/java").toString(),
                        "-Xmx256m",
                        // A start within a second matters here, the speed after minutes does not.
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        JAR + ":" + LIBRARIES + "/*",
                        "dev.codeforge.Main",
                        "operator"),
                environment,
                directory.resolve(name + ".log"));
    }

    private static void write(Path file, String text) {
        try {
            Files.createDirectories(file.getParent());
            Files.writeString(file, text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public String name() {
        return name;
    }

    /** Starts it, also again after its end, with the same settings; returns at once. */
    public void start() {
        process.start();
    }

    /** Returns when its caches are filled; one that stands by is ready too. */
    public void awaitReady() {
        probe.awaitGood("/readyz", PATIENCE, process);
    }

    public boolean isReady() {
        return probe.isGood("/readyz");
    }

    /** In Prometheus' text format. */
    public String metrics() {
        return probe.text("/metrics");
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    /** SIGKILL; returns when it is gone. */
    public void kill() {
        process.kill();
    }

    /** SIGTERM. @return its exit code */
    public int terminate(Duration patience) {
        process.signal("TERM");
        return process.awaitEnd(patience);
    }

    /** SIGSTOP: it does nothing until {@link #resume}, and its connections stand. */
    public void suspend() {
        process.signal("STOP");
    }

    /** SIGCONT. */
    public void resume() {
        process.signal("CONT");
    }

    /** Waits for it to end by itself, as a leader does that lost its lease. @return its exit code */
    public int awaitEnd(Duration patience) {
        return process.awaitEnd(patience);
    }

    public Path log() {
        return process.log();
    }

    /** All that it has printed, over all starts. */
    public String logText() {
        return process.logText();
    }

    @Override
    public void close() {
        process.kill();
    }
}
