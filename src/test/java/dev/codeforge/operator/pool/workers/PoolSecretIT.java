package dev.codeforge.operator.pool.workers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.jetstream.NatsAccess;
import dev.codeforge.operator.pool.access.AccessMemory;
import dev.codeforge.operator.pool.access.GivenAccess;
import dev.codeforge.operator.settings.NatsSettings;
import dev.codeforge.operator.time.RecheckTimer;
import dev.codeforge.operator.tracing.TelemetrySettings;
import dev.codeforge.testing.Resources;
import dev.codeforge.testing.TestCluster;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The Secret of a pool's workers on a real API server. */
final class PoolSecretIT {
    private static final NatsAccess.Password WORKER = new NatsAccess.Password("nats://nats:4222", "worker", "secret");
    private static final Clock NOON = Clock.fixed(Instant.parse("2026-11-24T12:00:00Z"), ZoneOffset.UTC);

    @Test
    void oneThatSomebodyHasDeletedOrChangedIsThereAgainAMinuteLater() throws Exception {
        final KubernetesClient client = TestCluster.shared().client();
        final WorkerPool pool = Resources.pool(TestCluster.shared().newNamespace(), "pool", null);
        final RecheckTimer<Map<String, String>> rechecks = new RecheckTimer<>();
        keep(pool, rechecks, Duration.ZERO);
        final Map<String, String> data = secret(client, pool).getData();
        assertThat(data).isNotEmpty();
        client.resource(secret(client, pool)).delete();
        keep(pool, rechecks, Duration.ofSeconds(59));
        assertThat(secret(client, pool)).isNull();
        keep(pool, rechecks, Duration.ofSeconds(60));
        assertThat(secret(client, pool).getData()).isEqualTo(data);
        final String key = data.keySet().iterator().next();
        client.secrets()
                .inNamespace(pool.getMetadata().getNamespace())
                .withName(pool.workersName())
                .edit(found -> {
                    found.getData().put(key, "d3Jvbmc=");
                    return found;
                });
        keep(pool, rechecks, Duration.ofSeconds(120));
        assertThat(secret(client, pool).getData()).isEqualTo(data);
    }

    private static void keep(WorkerPool pool, RecheckTimer<Map<String, String>> rechecks, Duration later)
            throws Exception {
        new PoolSecret(
                        TestCluster.shared().client(),
                        new GivenAccess(new NatsSettings.Given(WORKER, WORKER, true), Stream::empty),
                        TelemetrySettings.OFF,
                        Clock.offset(NOON, later))
                .keep(pool, rechecks, new AccessMemory(), false);
    }

    private static Secret secret(KubernetesClient client, WorkerPool pool) {
        return client.secrets()
                .inNamespace(pool.getMetadata().getNamespace())
                .withName(pool.workersName())
                .get();
    }
}
