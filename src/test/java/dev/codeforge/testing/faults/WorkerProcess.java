package dev.codeforge.testing.faults;

import static dev.codeforge.testing.Patience.PATIENCE;

import dev.codeforge.jetstream.NatsAccess;
import dev.codeforge.testing.FreePort;
import dev.codeforge.wire.Subjects;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The real Python worker with backend command: each task runs a shell script, which has the prompt on its stdin. */
public final class WorkerProcess implements AutoCloseable {
    private final String name;
    private final ChildProcess process;
    private final HttpProbe probe;

    /**
     * @param directory for its log and its workspaces
     * @param name its pod's name, by which events and holder answers call it
     * @param ackWait seconds without a sign of life after which its tasks go to another: the pool's
     *     {@code heartbeatTimeoutSeconds}
     * @param script for {@code sh -c}
     * @param settings further environment variables, and other values for those set here
     */
    public WorkerProcess(
            Path directory,
            String name,
            NatsAccess.Password nats,
            String namespace,
            String pool,
            int ackWait,
            String script,
            Map<String, String> settings) {
        final int port = FreePort.take();
        this.name = name;
        this.probe = new HttpProbe(port);
        final Map<String, String> environment = new HashMap<>(Map.of(
                "NATS_URL", nats.url(),
                "NATS_USER", nats.username(),
                "NATS_PASSWORD", nats.password(),
                "CODEFORGE_NAMESPACE", namespace,
                "CODEFORGE_POOL", pool,
                "CODEFORGE_BACKEND", "command",
                "CODEFORGE_STREAM", Subjects.poolStream(namespace, pool),
                "CODEFORGE_ACK_WAIT_SECONDS", Integer.toString(ackWait),
                "CODEFORGE_WORKSPACE", directory.resolve(name).toString(),
                "CODEFORGE_HTTP_PORT", Integer.toString(port)));
        environment.put("CODEFORGE_POD_NAME", name);
        environment.put("CODEFORGE_CONCURRENCY", "1");
        environment.put("CODEFORGE_GRACE_SECONDS", "10");
        // Where the tests' scripts leave their marks.
        environment.put("CODEFORGE_AGENT_WRITES", directory.toString());
        environment.putAll(settings);
        final List<String> command = new ArrayList<>(WorkerProgram.command());
        command.addAll(List.of("run", "--", "sh", "-c", script));
        this.process = new ChildProcess(command, environment, directory.resolve(name + ".log"));
    }

    public String name() {
        return name;
    }

    /** Starts it, also again after its end, with the same settings; returns at once. */
    public void start() {
        process.start();
    }

    /** Returns when it is connected to NATS. */
    public void awaitReady() {
        probe.awaitGood("/readyz", PATIENCE, process);
    }

    public boolean isReady() {
        return probe.isGood("/readyz");
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    /** SIGKILL to it and its agents, as the loss of a node does; returns when they are gone. */
    public void kill() {
        process.kill();
    }

    /** SIGTERM, as at the end of its pod: running tasks may finish within its grace time; returns at once. */
    public void terminate() {
        process.signal("TERM");
    }

    /** SIGSTOP to the worker; its agents go on. */
    public void suspend() {
        process.signal("STOP");
    }

    /** SIGCONT. */
    public void resume() {
        process.signal("CONT");
    }

    /** Waits for it to end by itself. @return its exit code */
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
