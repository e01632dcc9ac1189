package dev.codeforge.testing;

import io.fabric8.kubernetes.api.model.StatusBuilder;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.dsl.base.CustomResourceDefinitionContext;
import io.fabric8.kubernetes.client.server.mock.KubernetesCrudDispatcher;
import io.fabric8.kubernetes.client.server.mock.KubernetesMockServer;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.fabric8.mockwebserver.Context;
import io.fabric8.mockwebserver.MockWebServer;
import io.fabric8.mockwebserver.http.Buffer;
import io.fabric8.mockwebserver.http.Headers;
import io.fabric8.mockwebserver.http.MockResponse;
import io.fabric8.mockwebserver.http.RecordedRequest;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Level;
import java.util.logging.Logger;

/** An API server in memory that answers what a test wants it to answer; what the real one answers, OperatorIT tells. */
public final class FaultyApiServer implements AutoCloseable {
    private static final Logger REQUEST_LOG = Logger.getLogger(MockWebServer.class.getName());

    static {
        REQUEST_LOG.setLevel(Level.WARNING);
    }

    private final Map<String, Queue<Integer>> faults = new ConcurrentHashMap<>();
    private final List<String> requests = new CopyOnWriteArrayList<>();
    private final KubernetesMockServer server;
    private final KubernetesClient client;

    public FaultyApiServer(CustomResourceDefinitionContext... kinds) {
        server = new KubernetesMockServer(
                new Context(), new MockWebServer(), new HashMap<>(), new Dispatcher(List.of(kinds)), false);
        server.init();
        try (KubernetesClient usual = server.createClient()) {
            // Faults shall reach who is tested: the client would otherwise try again by itself.
            client = new KubernetesClientBuilder()
                    .withConfig(new ConfigBuilder(usual.getConfiguration())
                            .withRequestRetryBackoffLimit(0)
                            .build())
                    .build();
        }
    }

    public KubernetesClient client() {
        return client;
    }

    /** The next requests of this kind, such as {@code PATCH …/status}, are answered with these codes, then rightly. */
    public void answer(String method, String pathEnd, Integer... codes) {
        faults.put(method + " " + pathEnd, new ConcurrentLinkedQueue<>(List.of(codes)));
    }

    /** Requests of this kind so far. */
    public long count(String method, String pathEnd) {
        return requests.stream()
                .filter(request -> request.startsWith(method + " ") && request.endsWith(pathEnd))
                .count();
    }

    private final class Dispatcher extends KubernetesCrudDispatcher {
        Dispatcher(List<CustomResourceDefinitionContext> kinds) {
            super(kinds);
        }

        @Override
        public MockResponse dispatch(RecordedRequest request) {
            final String line = request.getMethod() + " " + request.getPath().replaceFirst("\\?.*", "");
            requests.add(line);
            for (final Map.Entry<String, Queue<Integer>> fault : faults.entrySet()) {
                final String[] kind = fault.getKey().split(" ");
                final Integer code = line.startsWith(kind[0]) && line.endsWith(kind[1])
                        ? fault.getValue().poll()
                        : null;
                if (code != null) {
                    return failure(code);
                }
            }
            final String type = String.valueOf(request.getHeader("Content-Type"));
            return super.dispatch(type.contains("apply-patch") ? merging(request) : request);
        }
    }

    private static MockResponse failure(int code) {
        return new MockResponse()
                .setResponseCode(code)
                .setBody(Serialization.asJson(new StatusBuilder()
                        .withStatus("Failure")
                        .withCode(code)
                        .withMessage("as the test wants it")
                        .build()));
    }

    /** The server in memory cannot apply; a merge does the same while one manager owns what is sent. */
    private static RecordedRequest merging(RecordedRequest request) {
        final Object body = Serialization.unmarshal(request.getUtf8Body(), Map.class);
        return new RecordedRequest(
                request.getHttpVersion(),
                request.method(),
                request.getPath(),
                Headers.builder()
                        .add("Content-Type", "application/merge-patch+json")
                        .build(),
                new Buffer(Serialization.asJson(body).getBytes(StandardCharsets.UTF_8)));
    }

    @Override
    public void close() {
        client.close();
        server.destroy();
    }
}
