package dev.codeforge.operator.pool.workers;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.operator.pool.access.AccessMemory;
import dev.codeforge.operator.pool.access.WorkerAccess;
import dev.codeforge.operator.time.RecheckTimer;
import dev.codeforge.operator.tracing.TelemetrySettings;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** A pool's Secret: what its workers get into NATS with, and the collector's key. */
public final class PoolSecret {
    private static final String OPERATOR = "codeforge-operator";

    private final KubernetesClient client;
    private final WorkerAccess access;
    private final TelemetrySettings telemetry;
    private final Clock clock;

    public PoolSecret(KubernetesClient client, WorkerAccess access, TelemetrySettings telemetry, Clock clock) {
        this.client = client;
        this.access = access;
        this.telemetry = telemetry;
        this.clock = clock;
    }

    /** @param anew there are no workers, and may be no Secret either */
    public void keep(
            WorkerPool pool, RecheckTimer<Map<String, String>> rechecks, AccessMemory accessMemory, boolean anew) {
        final Map<String, String> wanted = new HashMap<>(access.secret(pool, accessMemory));
        wanted.putAll(telemetry.secretsForWorkers());
        if (anew || rechecks.isDue(wanted, clock.instant())) {
            apply(pool, wanted);
            rechecks.seen(wanted, clock.instant());
        }
    }

    /** Why NATS may refuse the pool's workers for now. */
    public Optional<String> trouble(AccessMemory accessMemory) {
        return access.trouble(accessMemory);
    }

    private void apply(WorkerPool pool, Map<String, String> wanted) {
        final Map<String, String> data = new TreeMap<>();
        wanted.forEach((key, value) ->
                data.put(key, Base64.getEncoder().encodeToString(value.getBytes(StandardCharsets.UTF_8))));
        client.secrets()
                .inNamespace(pool.getMetadata().getNamespace())
                .resource(new SecretBuilder()
                        .withNewMetadata()
                        .withName(pool.workersName())
                        .withNamespace(pool.getMetadata().getNamespace())
                        .withLabels(WorkerDeployment.labels(pool))
                        .endMetadata()
                        .withType("Opaque")
                        .withData(data)
                        .build())
                .fieldManager(OPERATOR)
                .forceConflicts()
                .serverSideApply();
    }

    public void remove(WorkerPool pool) {
        client.secrets()
                .inNamespace(pool.getMetadata().getNamespace())
                .withName(pool.workersName())
                .delete();
    }

    /** Its workers are shut out of NATS, whatever they still do. */
    public void withdraw(WorkerPool pool, AccessMemory accessMemory, boolean namespaceEnds) {
        access.withdraw(pool, accessMemory, namespaceEnds);
    }
}
