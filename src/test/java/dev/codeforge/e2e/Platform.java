package dev.codeforge.e2e;

import static dev.codeforge.testing.Patience.PATIENCE;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskSpec;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.api.WorkerPoolSpec;
import dev.codeforge.api.WorkerPoolStatus;
import dev.codeforge.operator.status.Conditions;
import dev.codeforge.testing.Resources;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.LocalPortForward;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.nats.client.Connection;
import io.nats.client.Nats;
import io.nats.client.Options;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/** A namespace of the cluster on which the chart is installed as release codeforge in codeforge-system. */
final class Platform implements AutoCloseable {
    static final String SYSTEM = "codeforge-system";
    /** Of hack/demo/run. */
    static final String DEMO = "codeforge-demo";

    final KubernetesClient client = new KubernetesClientBuilder().build();
    final String namespace = "e2e-" + UUID.randomUUID().toString().substring(0, 8);

    Platform() {
        client.namespaces()
                .resource(new io.fabric8.kubernetes.api.model.NamespaceBuilder()
                        .withMetadata(new ObjectMetaBuilder()
                                .withName(namespace)
                                .addToLabels("pod-security.kubernetes.io/enforce", "restricted")
                                .build())
                        .build())
                .create();
    }

    /** A pool of backend command that runs a shell script; its subject is its own. */
    WorkerPool pool(String name, int maxWorkers, String script) {
        return poolWithContainer(name, maxWorkers, "{\"name\":\"worker\",\"args\":" + arguments(script) + "}");
    }

    /** As {@link #pool(String, int, String)} with container worker as JSON. */
    WorkerPool poolWithContainer(String name, int maxWorkers, String container) {
        final WorkerPool pool = new WorkerPool();
        pool.setMetadata(
                new ObjectMetaBuilder().withNamespace(namespace).withName(name).build());
        pool.setSpec(Resources.poolSpec(Map.of(
                "backend",
                "command",
                "queue",
                Map.of("subject", "tasks." + namespace + "." + name, "heartbeatTimeoutSeconds", 10),
                "scaling",
                new WorkerPoolSpec.Scaling(0, maxWorkers, 3, null, null),
                "deletionPolicy",
                WorkerPoolSpec.DeletionPolicy.Delete,
                "taskDefaults",
                Map.of("runTimeoutSeconds", 60),
                "template",
                json("{\"spec\":{\"containers\":[" + container + "]}}"))));
        return client.resource(pool).create();
    }

    /** Creates resources from YAML, in this namespace. */
    void create(String yaml) {
        client.load(new ByteArrayInputStream(yaml.getBytes(StandardCharsets.UTF_8)))
                .inNamespace(namespace)
                .create();
    }

    /** Runs kubectl in this namespace. */
    Kubectl kubectl(String... arguments) throws IOException, InterruptedException {
        final List<String> command = new ArrayList<>(
                List.of(Path.of(System.getProperty("codeforge.bin"), "kubectl").toString(), "--namespace", namespace));
        command.addAll(List.of(arguments));
        final Process process =
                new ProcessBuilder(command).redirectErrorStream(true).start();
        final String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Kubectl(process.waitFor(), output);
    }

    record Kubectl(int exitCode, String output) {}

    private static String arguments(String script) {
        try {
            return new ObjectMapper().writeValueAsString(List.of("run", "--", "sh", "-c", script));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    private static JsonNode json(String text) {
        try {
            return new ObjectMapper().readTree(text);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(e);
        }
    }

    AgentTask task(String name, String pool) {
        return task(name, pool, "");
    }

    /** @param fields of the spec besides pool and prompt, as YAML */
    AgentTask task(String name, String pool, String fields) {
        final AgentTask task = new AgentTask();
        task.setMetadata(
                new ObjectMetaBuilder().withNamespace(namespace).withName(name).build());
        task.setSpec(Resources.of(
                AgentTaskSpec.class,
                "{workerPoolRef: {name: " + pool + "}, prompt: prompt of " + name
                        + (fields.isEmpty() ? "" : ", " + fields) + "}"));
        return client.resource(task).create();
    }

    void ask(String name, String pool, String prompt) throws JsonProcessingException {
        create(
                """
                apiVersion: codeforge.dev/v1alpha1
                kind: AgentTask
                metadata: {name: %s}
                spec: {workerPoolRef: {name: %s}, prompt: %s}
                """
                        .formatted(name, pool, new ObjectMapper().writeValueAsString(prompt)));
    }

    String uid(String task) {
        return client.resources(AgentTask.class)
                .inNamespace(namespace)
                .withName(task)
                .require()
                .uid();
    }

    /** Text in YAML, and of a container, where one dollar may begin a reference to a variable. */
    static String literal(String text) throws JsonProcessingException {
        return new ObjectMapper().writeValueAsString(text.replace("$", "$$"));
    }

    /** Changes what may be changed of a task's spec. */
    void patch(String task, String fields) {
        client.resources(AgentTask.class)
                .inNamespace(namespace)
                .withName(task)
                .patch(PatchContext.of(PatchType.JSON_MERGE), "{\"spec\": " + fields + "}");
    }

    AgentTaskStatus status(String task) {
        return client.resources(AgentTask.class)
                .inNamespace(namespace)
                .withName(task)
                .require()
                .observedStatus()
                .orElseGet(AgentTaskStatus::unobserved);
    }

    AgentTaskStatus awaitFinished(String task) {
        return await("task " + task + " to end")
                .atMost(PATIENCE)
                .until(
                        () -> status(task),
                        status -> status.phase() != null && status.phase().isTerminal());
    }

    void awaitPhase(String task, dev.codeforge.api.Phase phase) {
        await("task " + task + " to be " + phase)
                .atMost(PATIENCE)
                .until(() -> status(task).phase() == phase);
    }

    WorkerPoolStatus poolStatus(String pool) {
        return client.resources(WorkerPool.class)
                .inNamespace(namespace)
                .withName(pool)
                .require()
                .observedStatus()
                .orElseGet(WorkerPoolStatus::unobserved);
    }

    Condition awaitReady(String pool, String reason) {
        return await("pool " + pool + " to give reason " + reason)
                .atMost(PATIENCE)
                .until(() -> Conditions.find(poolStatus(pool).conditions(), "Ready"), found -> found.filter(
                                ready -> reason.equals(ready.getReason()))
                        .isPresent())
                .orElseThrow();
    }

    void awaitWorkers(String pool, int replicas) {
        await(pool + " to have " + replicas + " workers")
                .atMost(PATIENCE)
                .until(() -> poolStatus(pool).replicas() == replicas);
    }

    /** Removes a pod from the API server at once; the kubelet ends its containers afterwards. */
    void kill(String podNamespace, String pod) {
        client.pods().inNamespace(podNamespace).withName(pod).withGracePeriod(0).delete();
    }

    Pod systemPod(String component) {
        return client.pods().inNamespace(SYSTEM).list().getItems().stream()
                .filter(pod -> pod.getMetadata().getName().startsWith("codeforge-" + component))
                .filter(pod -> pod.getMetadata().getDeletionTimestamp() == null)
                .filter(pod -> !pod.getMetadata().getName().endsWith("-test"))
                .findFirst()
                .orElseThrow();
    }

    /** With all rights on streams, by way of the API server and the kubelet: a forward that carries nothing is made anew. */
    NatsAccess nats() {
        return await("a connection to NATS").atMost(PATIENCE).ignoreExceptions().until(this::forwarded, found -> true);
    }

    private NatsAccess forwarded() throws Exception {
        final String credential = client.secrets()
                .inNamespace(SYSTEM)
                .withName("codeforge-nats-users")
                .require()
                .getData()
                .get("admin.creds");
        final LocalPortForward forward =
                client.pods().inNamespace(SYSTEM).withName("codeforge-nats-0").portForward(4222);
        try {
            return new NatsAccess(
                    forward,
                    Nats.connect(Options.builder()
                            .server("nats://127.0.0.1:" + forward.getLocalPort())
                            .ignoreDiscoveredServers()
                            .connectionTimeout(Duration.ofSeconds(10))
                            .authHandler(
                                    Nats.staticCredentials(Base64.getDecoder().decode(credential)))
                            .build()));
        } catch (IOException e) {
            forward.close();
            throw e;
        }
    }

    record NatsAccess(LocalPortForward forward, Connection connection) implements AutoCloseable {
        @Override
        public void close() throws Exception {
            connection.close();
            forward.close();
        }
    }

    Optional<String> warning(String name, String reason) {
        return client.events().v1().events().inNamespace(namespace).list().getItems().stream()
                .filter(event -> name.equals(event.getRegarding().getName()))
                .filter(event -> reason.equals(event.getReason()))
                .map(event -> event.getNote())
                .findFirst();
    }

    @Override
    public void close() {
        client.namespaces().withName(namespace).delete();
        client.close();
    }
}
