package dev.codeforge.testing.faults;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.testing.TestCluster;
import dev.codeforge.testing.TestFolder;
import dev.codeforge.testing.TestNats;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A whole CodeForge for one test: a namespace, a NATS of its own with users and passwords, operators and workers as processes,
 * and a proxy on each way. The API server is shared by all fault tests of a run, may be killed, and is alive again when a
 * test begins. The test's own client goes to the API server directly and meets no fault.
 */
public final class Installation implements AutoCloseable {
    private static TestCluster shared;

    private final TestCluster cluster;
    private final List<AutoCloseable> parts = new ArrayList<>();
    private final Path directory = TestFolder.make("faults");
    private final String namespace;
    private final TestNats nats;
    private final KubernetesProxy kubernetes;
    private final NatsProxy operatorNats;
    private final NatsProxy workerNats;

    public Installation() throws IOException {
        this(shared());
    }

    /** On an API server of the test's own. */
    public Installation(TestCluster cluster) throws IOException {
        this.cluster = cluster;
        namespace = cluster.newNamespace();
        nats = closing(TestNats.withUsers());
        kubernetes = closing(new KubernetesProxy(cluster.server().config()));
        operatorNats = closing(new NatsProxy(nats.endpoint()));
        workerNats = closing(new NatsProxy(nats.workerEndpoint()));
    }

    private static synchronized TestCluster shared() throws IOException {
        if (shared == null) {
            shared = new TestCluster();
        } else {
            shared.server().start();
        }
        return shared;
    }

    private <T extends AutoCloseable> T closing(T part) {
        parts.add(part);
        return part;
    }

    /** An operator of this namespace, not started; several need {@code CODEFORGE_LEADER_ELECTION=true}. */
    public OperatorProcess operator(String name, Map<String, String> settings) {
        final Map<String, String> all = new HashMap<>(settings);
        all.putIfAbsent("CODEFORGE_WATCH_NAMESPACES", namespace);
        return closing(
                new OperatorProcess(directory, name, namespace, kubernetes.kubeconfig(), operatorNats.endpoint(), all));
    }

    /** A worker of a pool, not started; {@code ackWait} as the pool's {@code heartbeatTimeoutSeconds}. */
    public WorkerProcess worker(String name, String pool, int ackWait, String script, Map<String, String> settings) {
        return closing(
                new WorkerProcess(directory, name, workerNats.endpoint(), namespace, pool, ackWait, script, settings));
    }

    /** Creates resources from YAML, in this namespace. */
    public void create(String yaml) {
        client().load(new java.io.ByteArrayInputStream(yaml.getBytes(java.nio.charset.StandardCharsets.UTF_8)))
                .inNamespace(namespace)
                .create();
    }

    /** A pool of backend command on a subject of its own; {@code spec} are further fields as YAML, or empty. */
    public WorkerPool createPool(String name, int ackWait, String spec) {
        return createPool(name, ackWait, "", spec);
    }

    /** As {@link #createPool(String, int, String)}, with further fields of the queue as the inside of a YAML map. */
    public WorkerPool createPool(String name, int ackWait, String queue, String spec) {
        return create(
                WorkerPool.class,
                "WorkerPool",
                name,
                """
                backend: command
                queue: {subject: tasks.%s.%s, heartbeatTimeoutSeconds: %d%s}
                scaling: {minReplicas: 0, maxReplicas: 5, scaleDownStabilizationWindowSeconds: 2}
                """
                                .formatted(namespace, name, ackWait, queue.isEmpty() ? "" : ", " + queue)
                        + spec);
    }

    /** A task; {@code spec} are further fields as YAML, or empty. */
    public AgentTask createTask(String name, String pool, String spec) {
        return create(
                AgentTask.class,
                "AgentTask",
                name,
                """
                workerPoolRef: {name: %s}
                prompt: %s
                """
                                .formatted(pool, name)
                        + spec);
    }

    private <T extends HasMetadata> T create(Class<T> type, String kind, String name, String spec) {
        final T resource = Serialization.unmarshal(
                """
                apiVersion: codeforge.dev/v1alpha1
                kind: %s
                metadata: {name: %s, namespace: %s}
                spec:
                """
                                .formatted(kind, name, namespace)
                        + spec.stripTrailing().indent(2),
                type);
        return client().resource(resource).create();
    }

    public AgentTaskStatus status(String task) {
        return client().resources(AgentTask.class)
                .inNamespace(namespace)
                .withName(task)
                .require()
                .observedStatus()
                .orElseGet(AgentTaskStatus::unobserved);
    }

    public KubernetesClient client() {
        return cluster.client();
    }

    public dev.codeforge.testing.TestApiServer apiServer() {
        return cluster.server();
    }

    public String namespace() {
        return namespace;
    }

    /** For logs and for what scripts write. */
    public Path directory() {
        return directory;
    }

    public TestNats nats() {
        return nats;
    }

    /** Between the operators and the API server. */
    public KubernetesProxy kubernetes() {
        return kubernetes;
    }

    /** Between the operators and NATS. */
    public NatsProxy operatorNats() {
        return operatorNats;
    }

    /** Between the workers and NATS. */
    public NatsProxy workerNats() {
        return workerNats;
    }

    /** Ends all processes, the last first. */
    @Override
    public void close() throws Exception {
        for (final AutoCloseable part : parts.reversed()) {
            part.close();
        }
    }
}
