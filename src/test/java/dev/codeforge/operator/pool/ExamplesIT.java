package dev.codeforge.operator.pool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.operator.pool.workers.NatsMounts;
import dev.codeforge.operator.pool.workers.WorkerDeployment;
import dev.codeforge.operator.settings.WorkerDefaults;
import dev.codeforge.operator.tracing.TelemetrySettings;
import dev.codeforge.testing.TestCluster;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.FieldValidateable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A real API server takes each example, and the workers that the operator makes of its pools. */
final class ExamplesIT {
    private static final WorkerDeployment DEPLOYMENTS = new WorkerDeployment(
            Map.of(
                    "command", "command:test",
                    "aider", "aider:test",
                    "mini-swe-agent", "mini-swe-agent:test",
                    "opencode", "opencode:test",
                    "openhands", "openhands:test"),
            "IfNotPresent",
            WorkerDefaults.NONE,
            "operator-0",
            TelemetrySettings.OFF,
            new NatsMounts(false));

    static Stream<Path> examples() throws IOException {
        try (Stream<Path> all = Files.walk(Path.of("examples"))) {
            return all.filter(path -> path.toString().endsWith(".yaml")).sorted().toList().stream();
        }
    }

    @ParameterizedTest
    @MethodSource("examples")
    void anExampleIsTaken(Path example) throws Exception {
        final KubernetesClient client = TestCluster.shared().client();
        for (final HasMetadata object : read(client, example)) {
            if (object.getMetadata().getNamespace() == null && !object.getKind().equals("RuntimeClass")) {
                object.getMetadata().setNamespace("default");
            }
            assertThatCode(() -> client.resource(object)
                            .dryRun()
                            .fieldValidation(FieldValidateable.Validation.STRICT)
                            .create())
                    .as("%s %s", object.getKind(), object.getMetadata().getName())
                    .doesNotThrowAnyException();
            if (object instanceof WorkerPool pool) {
                assertThat(client.resource(DEPLOYMENTS.of(pool, "tasks.test"))
                                .dryRun()
                                .fieldValidation(FieldValidateable.Validation.STRICT)
                                .create())
                        .isNotNull();
            }
        }
    }

    private static List<HasMetadata> read(KubernetesClient client, Path example) throws IOException {
        try (InputStream in = Files.newInputStream(example)) {
            return client.load(in).items();
        }
    }
}
