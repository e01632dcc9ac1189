package dev.codeforge.operator.time;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.http.HttpClient;
import io.fabric8.kubernetes.client.http.HttpResponse;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** The API server's time in whole seconds, like the times of its resources. Any of its answers has it. */
public final class ApiServerTime {
    private static final int TIMEOUT_SECONDS = 5;

    private ApiServerTime() {}

    public static Instant of(KubernetesClient client) {
        final HttpClient http = client.getHttpClient();
        try {
            final HttpResponse<byte[]> answer = http.sendAsync(
                            http.newHttpRequestBuilder()
                                    .uri(client.getMasterUrl().toURI().resolve("version"))
                                    .build(),
                            byte[].class)
                    .get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
            // A refusal has the time too.
            return ZonedDateTime.parse(answer.header("Date"), DateTimeFormatter.RFC_1123_DATE_TIME)
                    .toInstant();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new KubernetesClientException("interrupted while the API server was asked for its time", e);
        } catch (ExecutionException
                | TimeoutException
                | DateTimeException
                | NullPointerException
                | java.net.URISyntaxException e) {
            throw new KubernetesClientException(
                    "the API server does not tell its time, by which the age of resources is judged: " + e, e);
        }
    }
}
