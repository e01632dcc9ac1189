package dev.codeforge.soak;

import static org.assertj.core.api.Assertions.assertThatCode;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.testing.TestCluster;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.io.IOException;
import java.util.Locale;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The soak runs by hand: a change of the API must not be noticed there first. */
final class SoakResourcesIT {
    private KubernetesClient client;
    private String namespace;

    @BeforeEach
    void namespace() throws IOException {
        client = TestCluster.shared().client();
        namespace = TestCluster.shared().newNamespace();
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void theApiServerTakesEachKindOfTaskOfTheSoak(Kind kind) {
        final String name = kind.name().toLowerCase(Locale.ROOT).replace('_', '-');
        final String workspace = Remote.workspace(9418, "repository-0.git", RemoteCheck.branchOf(name, ""));
        assertThatCode(() -> {
                    create(kind, name + "-plain", "");
                    create(kind, name + "-git", workspace);
                })
                .doesNotThrowAnyException();
    }

    private void create(Kind kind, String name, String workspace) {
        final String key = kind.hasKey() ? name : "";
        Yaml.create(client, AgentTask.class, namespace, name, Load.spec(kind, "amber", "work 0.50", key, workspace));
    }

    @Test
    void theApiServerTakesThePoolOfTheSoak() {
        assertThatCode(() -> Yaml.create(
                        client,
                        WorkerPool.class,
                        namespace,
                        "amber",
                        Platform.poolSpec("tasks." + namespace + ".amber")))
                .doesNotThrowAnyException();
    }
}
