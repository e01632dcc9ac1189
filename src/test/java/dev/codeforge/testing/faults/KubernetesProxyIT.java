package dev.codeforge.testing.faults;

import static dev.codeforge.testing.Patience.PATIENCE;
import static dev.codeforge.testing.Patience.throughout;
import static dev.codeforge.testing.faults.ApiRequest.to;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import io.fabric8.kubernetes.client.jdkhttp.JdkHttpClientFactory;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Each fault between a client and the API server happens, and happens to what was chosen only. */
final class KubernetesProxyIT {
    private static final Duration SHORT = Duration.ofSeconds(2);
    private static final Duration TIMEOUT = Duration.ofSeconds(10);
    private static final String MAPS = "/configmaps";

    private Installation installation;
    private KubernetesProxy proxy;
    private KubernetesClient client;

    @BeforeEach
    void start() throws Exception {
        installation = new Installation();
        proxy = installation.kubernetes();
        client = clientOf(proxy.config());
    }

    @AfterEach
    void stop() throws Exception {
        client.close();
        installation.close();
    }

    /** The operator's HTTP client, without trying again by itself. */
    private static KubernetesClient clientOf(Config config) {
        return new KubernetesClientBuilder()
                .withHttpClientFactory(new JdkHttpClientFactory())
                .withConfig(new ConfigBuilder(config)
                        .withRequestRetryBackoffLimit(0)
                        .withRequestTimeout((int) TIMEOUT.toMillis())
                        .build())
                .build();
    }

    @Test
    void writesAreCountedByObject() {
        create("one");
        client.resource(map("one")).serverSideApply();
        client.resource(map("one")).serverSideApply();
        create("two");
        assertThat(proxy.done(to("PATCH", MAPS + "/one"))).isEqualTo(2);
        assertThat(proxy.done(to("POST", MAPS))).isEqualTo(2);
        assertThat(proxy.writes()).allMatch(write -> write.request().isWrite());
        assertThat(proxy.writes().getLast().request().object()).isEqualTo(path());
    }

    @Test
    void theNthWriteIsAnsweredByTheProxyAndNotDone() {
        final Injection second = proxy.at(2, to("POST", MAPS), new Fault.Answer(409));
        create("one");
        assertThatThrownBy(() -> create("two"))
                .isInstanceOfSatisfying(KubernetesClientException.class, e -> assertThat(e.getCode())
                        .isEqualTo(409));
        second.awaitHit(Duration.ZERO);
        create("three");
        assertThat(exists("one")).isTrue();
        assertThat(exists("two")).isFalse();
        assertThat(exists("three")).isTrue();
        assertThat(proxy.done(to("POST", MAPS))).isEqualTo(2);
    }

    @Test
    void eachWriteMeetsItsFaultUntilTheInjectionIsClosed() {
        try (Injection each = proxy.each(to("POST", MAPS), new Fault.Answer(500))) {
            assertThatThrownBy(() -> create("one")).isInstanceOf(KubernetesClientException.class);
            assertThatThrownBy(() -> create("one")).isInstanceOf(KubernetesClientException.class);
            assertThat(each.seen()).isEqualTo(2);
        }
        create("one");
    }

    @Test
    void anActionComesBeforeTheWriteOrInsteadOfIt() {
        final AtomicInteger actions = new AtomicInteger();
        proxy.at(1, to("POST", MAPS), new Fault.Before(() -> {
            assertThat(exists("one")).isFalse();
            actions.incrementAndGet();
        }));
        proxy.at(2, to("POST", MAPS), new Fault.Instead(actions::incrementAndGet));
        create("one");
        assertThatThrownBy(() -> create("two")).isInstanceOf(KubernetesClientException.class);
        assertThat(actions).hasValue(2);
        assertThat(exists("one")).isTrue();
        assertThat(exists("two")).isFalse();
    }

    @Test
    void anAnswerIsLostAfterTheServerDidIt() {
        proxy.at(1, to("POST", MAPS), new Fault.AnswerLost());
        assertThatThrownBy(() -> create("one")).isInstanceOf(KubernetesClientException.class);
        assertThat(exists("one")).isTrue();
    }

    @Test
    void anAnswerNeverComesAlthoughTheServerDidIt() {
        proxy.at(1, to("POST", MAPS), new Fault.Silence());
        assertThatThrownBy(() -> create("one")).hasStackTraceContaining("timed out");
        assertThat(exists("one")).isTrue();
    }

    @Test
    void aDelayedWriteIsDoneLater() {
        proxy.at(1, to("POST", MAPS), new Fault.Delay(Duration.ofSeconds(1)));
        final long before = System.nanoTime();
        create("one");
        assertThat(Duration.ofNanos(System.nanoTime() - before)).isGreaterThanOrEqualTo(Duration.ofSeconds(1));
    }

    @Test
    void aHeldWatchTellsNothingUntilItIsResumedAndLosesNothing() {
        try (SharedIndexInformer<ConfigMap> seen =
                client.configMaps().inNamespace(installation.namespace()).inform()) {
            create("before");
            await().atMost(PATIENCE).until(() -> knows(seen, "before"));
            proxy.holdWatches();
            create("one");
            create("two");
            throughout(SHORT, () -> !knows(seen, "one") && !knows(seen, "two"));
            assertThat(exists("one")).isTrue();
            proxy.resumeWatches();
            await().atMost(PATIENCE).until(() -> knows(seen, "one") && knows(seen, "two"));
        }
    }

    @Test
    void aWatchThatWasCutIsMadeAgain() {
        try (SharedIndexInformer<ConfigMap> seen =
                client.configMaps().inNamespace(installation.namespace()).inform()) {
            proxy.refuse();
            proxy.cut();
            assertThatThrownBy(() -> create("one")).isInstanceOf(KubernetesClientException.class);
            installation.client().resource(map("two")).create();
            throughout(SHORT, () -> !knows(seen, "two"));
            proxy.accept();
            await().atMost(PATIENCE).until(() -> knows(seen, "two"));
        }
    }

    @Test
    void aFrozenNetworkBringsEverythingLater() {
        proxy.freeze();
        assertThatThrownBy(() -> create("one")).hasStackTraceContaining("timed out");
        assertThat(exists("one")).isFalse();
        proxy.resume();
        create("two");
    }

    @Test
    void aLaggingServerShowsThePastUntilItCatchesUp() {
        create("one");
        proxy.lagBehind(installation
                .client()
                .configMaps()
                .inNamespace(installation.namespace())
                .list()
                .getMetadata()
                .getResourceVersion());
        create("two");
        try (SharedIndexInformer<ConfigMap> seen =
                client.configMaps().inNamespace(installation.namespace()).inform()) {
            await().atMost(PATIENCE).until(() -> knows(seen, "one"));
            throughout(SHORT, () -> !knows(seen, "two"));
            proxy.catchUp();
            await().atMost(PATIENCE).until(() -> knows(seen, "two"));
        }
    }

    @Test
    void theApiServerIsKilledAndComesBackWithItsData() throws Exception {
        create("one");
        installation.apiServer().kill();
        assertThatThrownBy(() -> create("two")).isInstanceOf(KubernetesClientException.class);
        installation.apiServer().start();
        awaitAnswer();
        assertThat(exists("one")).isTrue();
        create("two");
        installation.apiServer().killApiServer();
        installation.apiServer().start();
        awaitAnswer();
        create("three");
    }

    /** Of the client's connections some may be those of the server that was killed. */
    private void awaitAnswer() {
        await().atMost(PATIENCE).ignoreExceptions().until(() -> exists("one"));
    }

    private void create(String name) {
        client.resource(map(name)).create();
    }

    private ConfigMap map(String name) {
        return new ConfigMapBuilder()
                .withNewMetadata()
                .withName(name)
                .withNamespace(installation.namespace())
                .endMetadata()
                .build();
    }

    private boolean exists(String name) {
        return installation
                        .client()
                        .configMaps()
                        .inNamespace(installation.namespace())
                        .withName(name)
                        .get()
                != null;
    }

    private boolean knows(SharedIndexInformer<ConfigMap> informer, String name) {
        return informer.getStore().getByKey(installation.namespace() + "/" + name) != null;
    }

    private String path() {
        return "/api/v1/namespaces/" + installation.namespace() + MAPS;
    }
}
