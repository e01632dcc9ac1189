package dev.codeforge.console.identity;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.github.benmanes.caffeine.cache.AsyncLoadingCache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.codeforge.api.Names;
import io.fabric8.kubernetes.api.model.authentication.SelfSubjectReview;
import io.fabric8.kubernetes.api.model.authorization.v1.SelfSubjectAccessReviewBuilder;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.http.HttpClient;
import io.fabric8.kubernetes.client.http.HttpResponse;
import io.fabric8.kubernetes.client.utils.TokenRefreshInterceptor;
import java.net.HttpURLConnection;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Sends requests with the caller's own token, so that the console needs no right to ask about others. All callers share
 * one pool of connections.
 */
public final class KubernetesCallers implements Callers, AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    /** An entry has a few hundred bytes, mostly the token. */
    private static final int MOST_ANSWERS = 50_000;

    private final HttpClient server;
    private final String address;
    private final Duration freshness;
    private final ExecutorService asking = Executors.newVirtualThreadPerTaskExecutor();
    private final AsyncLoadingCache<Question, String> answers;

    private record Question(String token, Optional<Reading> reading) {}

    /** @param own the console's own connection: its address and certificates are used, never its token */
    public KubernetesCallers(Config own, Duration freshness) {
        final Config anonymous = new ConfigBuilder(Config.empty())
                .withMasterUrl(own.getMasterUrl())
                .withCaCertFile(own.getCaCertFile())
                .withCaCertData(own.getCaCertData())
                .withTrustCerts(own.isTrustCerts())
                .withRequestRetryBackoffLimit(1)
                .build();
        this.address = anonymous.getMasterUrl();
        this.server = new KubernetesClientBuilder()
                .withConfig(anonymous)
                .build()
                .getHttpClient()
                .newBuilder()
                // The interceptor would retry with the pod's own token.
                .addOrReplaceInterceptor(TokenRefreshInterceptor.NAME, null)
                .build();
        this.freshness = freshness;
        // Loads run on threads of their own: they must not block the cache's locks, nor the common pool, on which the
        // JDK's HTTP client delivers its answers.
        this.answers = Caffeine.newBuilder()
                .executor(asking)
                .expireAfterWrite(freshness)
                .maximumSize(MOST_ANSWERS)
                .buildAsync(this::ask);
    }

    @Override
    public Duration freshness() {
        return freshness;
    }

    @Override
    public Optional<String> user(String token) {
        return Optional.of(answer(new Question(token, Optional.empty()))).filter(name -> !name.isEmpty());
    }

    @Override
    public boolean may(String token, Reading reading) {
        return answer(new Question(token, Optional.of(reading))).equals("true");
    }

    private String answer(Question question) {
        try {
            return answers.get(question).join();
        } catch (CompletionException e) {
            throw new UnansweredException(
                    Optional.ofNullable(e.getCause()).orElse(e).getMessage(), e);
        }
    }

    /** @return the user's name, or the decision; empty when the API server rejects the caller */
    private String ask(Question question) {
        return question.reading()
                .map(reading -> post(
                                question.token(), "authorization.k8s.io/v1/selfsubjectaccessreviews", review(reading))
                        .at("/status/allowed")
                        .asText())
                .orElseGet(() -> post(
                                question.token(),
                                "authentication.k8s.io/v1/selfsubjectreviews",
                                new SelfSubjectReview())
                        .at("/status/userInfo/username")
                        .asText());
    }

    private static Object review(Reading reading) {
        return new SelfSubjectAccessReviewBuilder()
                .withNewSpec()
                .withNewResourceAttributes()
                .withGroup(Names.GROUP)
                .withNamespace(reading.namespace())
                .withResource(reading.resource())
                .withSubresource(reading.subresource())
                .withVerb(reading.verb())
                .endResourceAttributes()
                .endSpec()
                .build();
    }

    private JsonNode post(String token, String path, Object review) {
        try {
            final HttpResponse<String> answer = server.sendAsync(
                            server.newHttpRequestBuilder()
                                    .uri(address + "apis/" + path)
                                    .header("Authorization", "Bearer " + token)
                                    .post("application/json", JSON.writeValueAsString(review))
                                    .build(),
                            String.class)
                    .get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
            if (answer.isSuccessful()) {
                return JSON.readTree(answer.body());
            }
            if (answer.code() == HttpURLConnection.HTTP_UNAUTHORIZED
                    || answer.code() == HttpURLConnection.HTTP_FORBIDDEN) {
                return JSON.nullNode();
            }
            throw new UnansweredException("the API server answered " + answer.code());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UnansweredException("interrupted while the API server was asked", e);
        } catch (ExecutionException | TimeoutException | JsonProcessingException e) {
            throw new UnansweredException("the API server did not answer: " + e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        asking.shutdownNow();
        server.close();
    }
}
