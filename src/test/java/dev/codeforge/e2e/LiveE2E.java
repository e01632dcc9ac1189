package dev.codeforge.e2e;

import static dev.codeforge.testing.Patience.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.codeforge.api.Phase;
import dev.codeforge.testing.LiveClient;
import dev.codeforge.testing.ServiceAccountToken;
import dev.codeforge.wire.Subjects;
import dev.codeforge.wire.TaskRef;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.client.readiness.Readiness;
import java.net.URI;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** The console's pods behind their Service, as somebody sees them who may look into one namespace. */
final class LiveE2E {
    private static final String CONSOLE = "codeforge-console";
    private static final int REPLICAS = 2;
    private static final String COUNTS = "n=0; while true; do n=$((n+1)); echo $n; sleep 0.05; done";

    @AutoClose
    private final Platform platform = new Platform();

    @Test
    void aViewerMissesNoLineThroughARollingUpdateOfTheConsole() throws Exception {
        final Set<String> before = podNames();
        assertThat(before).hasSize(REPLICAS);
        platform.pool("pool", 1, COUNTS);
        final String uid = platform.task("task", "pool", "runTimeoutSeconds: 600")
                .getMetadata()
                .getUid();
        final String token = viewer();
        platform.awaitPhase("task", Phase.Running);
        try (Follower follower = new Follower(service(), token)) {
            follower.awaitLines(50);
            restart();
            follower.awaitLines(follower.numbers().size() + 50);
            platform.patch("task", "{\"cancel\": true}");
            assertThat(platform.awaitFinished("task").phase()).isEqualTo(Phase.Cancelled);
            follower.awaitSequence(lastLine(new TaskRef(platform.namespace, "pool", uid)));
            assertThat(follower.numbers()).containsExactlyElementsOf(upTo(follower.numbers()));
            assertThat(follower.ends()).isNotEmpty().containsOnly(1001);
            assertThat(podNames()).hasSize(REPLICAS).doesNotContainAnyElementsOf(before);
            for (final Pod pod : pods()) {
                try (LiveClient client = log(LiveClient.of(replica(pod), token), 0)) {
                    client.awaitMessage("synced");
                    assertThat(client.sequences("log"))
                            .as("what %s serves", pod.getMetadata().getName())
                            .isEqualTo(follower.sequences());
                }
            }
        }
    }

    @Test
    void aViewerOfANamespaceSeesNoOther() throws Exception {
        try (LiveClient client = LiveClient.of(service(), viewer())) {
            client.subscribe("mine", platform.namespace, "");
            client.subscribe("theirs", Platform.DEMO, "");
            client.awaitMessage("synced");
            final JsonNode error = client.awaitMessage("error");
            assertThat(error.path("subscription").asText()).isEqualTo("theirs");
            assertThat(error.path("reason").asText()).isEqualTo("Forbidden");
        }
    }

    /** Kubernetes' rolling update, as {@code kubectl rollout restart} asks for it. */
    private void restart() throws Exception {
        final Platform.Kubectl asked =
                platform.kubectl("rollout", "restart", "deployment/" + CONSOLE, "--namespace", Platform.SYSTEM);
        assertThat(asked.exitCode()).as(asked.output()).isZero();
        final Platform.Kubectl done = platform.kubectl(
                "rollout", "status", "deployment/" + CONSOLE, "--namespace", Platform.SYSTEM, "--timeout=4m");
        assertThat(done.exitCode()).as(done.output()).isZero();
        // The old ones have ended too.
        await().atMost(PATIENCE).until(() -> allPods().size() == REPLICAS);
    }

    // ---- the console

    private Service consoleService() {
        return platform.client
                .services()
                .inNamespace(Platform.SYSTEM)
                .withName(CONSOLE)
                .require();
    }

    /** The node is this machine: its Services and pods are reached from here. */
    private URI service() {
        final var spec = consoleService().getSpec();
        return URI.create(
                "ws://" + spec.getClusterIP() + ":" + spec.getPorts().getFirst().getPort() + "/ws");
    }

    private static URI replica(Pod pod) {
        return URI.create("ws://" + pod.getStatus().getPodIP() + ":8082/ws");
    }

    private List<Pod> allPods() {
        return platform.client
                .pods()
                .inNamespace(Platform.SYSTEM)
                .withLabel("app.kubernetes.io/name", CONSOLE)
                .list()
                .getItems();
    }

    private List<Pod> pods() {
        return allPods().stream().filter(Readiness::isPodReady).toList();
    }

    private Set<String> podNames() {
        return pods().stream().map(pod -> pod.getMetadata().getName()).collect(Collectors.toSet());
    }

    // ---- who looks

    private String viewer() throws Exception {
        platform.create(
                """
                apiVersion: v1
                kind: ServiceAccount
                metadata: {name: viewer}
                ---
                apiVersion: rbac.authorization.k8s.io/v1
                kind: RoleBinding
                metadata: {name: viewer}
                roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: codeforge-viewer}
                subjects: [{kind: ServiceAccount, name: viewer, namespace: %s}]
                """
                        .formatted(platform.namespace));
        // The API server itself hears of a binding a moment later.
        await().atMost(PATIENCE)
                .until(() -> platform.kubectl(
                                        "auth",
                                        "can-i",
                                        "get",
                                        "agenttasks.codeforge.dev",
                                        "--subresource=log",
                                        "--as=system:serviceaccount:" + platform.namespace + ":viewer")
                                .exitCode()
                        == 0);
        return ServiceAccountToken.of(platform.client, platform.namespace, "viewer");
    }

    private LiveClient log(LiveClient client, long after) {
        return client.subscribe(
                "log", platform.namespace, "\"task\":\"task\",\"topics\":[\"log\"],\"afterLine\":" + after);
    }

    // ---- lines

    private static List<Long> upTo(List<Long> numbers) {
        return LongStream.rangeClosed(1, numbers.size()).boxed().toList();
    }

    private long lastLine(TaskRef task) throws Exception {
        try (Platform.NatsAccess nats = platform.nats()) {
            return nats.connection()
                    .jetStreamManagement()
                    .getLastMessage(Subjects.LOGS_STREAM, Subjects.lines(task))
                    .getSeq();
        }
    }

    /** Follows the lines of the task, and comes back after the last one whenever its connection ends. */
    private final class Follower implements AutoCloseable {
        private final URI server;
        private final String token;
        private final List<LiveClient> connections = new CopyOnWriteArrayList<>();
        private final Thread thread;
        private volatile boolean stopped;

        Follower(URI server, String token) {
            this.server = server;
            this.token = token;
            this.thread = Thread.ofVirtual().start(this::run);
        }

        private void run() {
            while (!stopped) {
                try {
                    connections.add(log(
                            LiveClient.of(server, token),
                            sequences().stream()
                                    .reduce((first, second) -> second)
                                    .orElse(0L)));
                    await().forever()
                            .until(() -> stopped || connections.getLast().closed() != 0);
                } catch (CompletionException e) {
                    // No connection: the next one is tried at once.
                    System.err.println("the console could not be reached: " + e.getCause());
                }
            }
        }

        private List<JsonNode> lines() {
            return connections.stream()
                    .flatMap(client -> client.of("log").stream())
                    .toList();
        }

        /** What the task has counted; a line of its worker's own may follow. */
        List<Long> numbers() {
            return lines().stream()
                    .map(message -> message.path("line").path("line").asText())
                    .filter(line -> line.matches("[0-9]+"))
                    .map(Long::valueOf)
                    .toList();
        }

        List<Long> sequences() {
            return lines().stream()
                    .map(message -> message.path("sequence").asLong())
                    .toList();
        }

        /** The codes with which connections ended. */
        List<Integer> ends() {
            return connections.stream()
                    .map(LiveClient::closed)
                    .filter(code -> code != 0)
                    .toList();
        }

        void awaitLines(int count) {
            await(count + " lines").atMost(PATIENCE).until(() -> lines().size() >= count);
        }

        void awaitSequence(long sequence) {
            await("line " + sequence).atMost(PATIENCE).until(() -> sequences().contains(sequence));
        }

        @Override
        public void close() throws InterruptedException {
            stopped = true;
            connections.forEach(LiveClient::close);
            thread.join();
        }
    }
}
