package dev.codeforge.testing;

import dev.codeforge.operator.settings.NatsSettings;
import dev.codeforge.operator.settings.OperatorSettings;
import dev.codeforge.operator.settings.WorkerDefaults;
import dev.codeforge.operator.tracing.TelemetrySettings;
import java.time.Duration;
import java.util.Map;
import java.util.Set;

/** An operator as the tests install it: one image, the least bucket, frequent sweeps, any free port. */
public final class TestSettings {
    private static final long FILES_BYTES = 1L << 20;
    private static final Duration SWEEPS = Duration.ofSeconds(5);

    private TestSettings() {}

    /** @param watched namespaces that are served; empty for all */
    public static OperatorSettings of(
            String namespace, String podName, Set<String> watched, TestNats nats, boolean leaderElection) {
        return of(namespace, podName, watched, nats.settings(), leaderElection);
    }

    /** @param watched namespaces that are served; empty for all */
    public static OperatorSettings of(
            String namespace, String podName, Set<String> watched, NatsSettings nats, boolean leaderElection) {
        return new OperatorSettings(
                namespace,
                "codeforge",
                podName,
                watched,
                nats,
                Map.of("command", "worker:test"),
                "IfNotPresent",
                WorkerDefaults.NONE,
                "tasks.agent.{backend}",
                leaderElection,
                FILES_BYTES,
                SWEEPS,
                0,
                TelemetrySettings.OFF);
    }
}
