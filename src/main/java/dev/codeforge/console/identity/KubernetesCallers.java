package dev.codeforge.console.identity;

import dev.codeforge.api.Names;
import io.fabric8.kubernetes.api.model.authentication.SelfSubjectReview;
import io.fabric8.kubernetes.api.model.authorization.v1.SelfSubjectAccessReview;
import io.fabric8.kubernetes.api.model.authorization.v1.SelfSubjectAccessReviewBuilder;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.net.HttpURLConnection;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/** Asks with the caller's own token, so that the console has no right to ask about others. */
public final class KubernetesCallers implements Callers {
    private final Config server;
    private final Duration freshness;
    private final Clock clock;
    private final Map<Question, Answer> answers = new ConcurrentHashMap<>();

    private record Question(String token, Optional<Reading> reading) {}

    private record Answer(String text, Instant time) {}

    /** @param own how the console itself is connected: its address and certificates are used, never its token */
    public KubernetesCallers(Config own, Duration freshness, Clock clock) {
        this.server = new ConfigBuilder(Config.empty())
                .withMasterUrl(own.getMasterUrl())
                .withCaCertFile(own.getCaCertFile())
                .withCaCertData(own.getCaCertData())
                .withTrustCerts(own.isTrustCerts())
                .withRequestRetryBackoffLimit(1)
                .build();
        this.freshness = freshness;
        this.clock = clock;
    }

    @Override
    public Duration freshness() {
        return freshness;
    }

    @Override
    public Optional<String> user(String token) {
        final String user = answer(new Question(token, Optional.empty()), () -> askForUser(token));
        return Optional.of(user).filter(name -> !name.isEmpty());
    }

    @Override
    public boolean may(String token, Reading reading) {
        return answer(new Question(token, Optional.of(reading)), () -> Boolean.toString(ask(token, reading)))
                .equals("true");
    }

    private String answer(Question question, Supplier<String> ask) {
        final Instant now = clock.instant();
        final Answer known = answers.get(question);
        if (known != null && now.isBefore(known.time().plus(freshness))) {
            return known.text();
        }
        answers.values().removeIf(answer -> !now.isBefore(answer.time().plus(freshness)));
        final String text = ask.get();
        answers.put(question, new Answer(text, now));
        return text;
    }

    private String askForUser(String token) {
        try (KubernetesClient client = as(token)) {
            return client.resource(new SelfSubjectReview())
                    .create()
                    .getStatus()
                    .getUserInfo()
                    .getUsername();
        } catch (KubernetesClientException e) {
            if (isRefusal(e)) {
                return "";
            }
            throw unanswered(e);
        }
    }

    private boolean ask(String token, Reading reading) {
        final SelfSubjectAccessReview review = new SelfSubjectAccessReviewBuilder()
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
        try (KubernetesClient client = as(token)) {
            return Boolean.TRUE.equals(
                    client.resource(review).create().getStatus().getAllowed());
        } catch (KubernetesClientException e) {
            if (isRefusal(e)) {
                return false;
            }
            throw unanswered(e);
        }
    }

    private KubernetesClient as(String token) {
        return new KubernetesClientBuilder()
                .withConfig(new ConfigBuilder(server).withOauthToken(token).build())
                .build();
    }

    private static boolean isRefusal(KubernetesClientException e) {
        return e.getCode() == HttpURLConnection.HTTP_UNAUTHORIZED || e.getCode() == HttpURLConnection.HTTP_FORBIDDEN;
    }

    private static UnansweredException unanswered(KubernetesClientException e) {
        return new UnansweredException("the API server did not answer: " + e.getMessage(), e);
    }
}
