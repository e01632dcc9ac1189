package dev.codeforge.operator.pool.workers;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.api.WorkerPoolSpec;
import dev.codeforge.operator.settings.WorkerDefaults;
import dev.codeforge.operator.tracing.TelemetrySettings;
import dev.codeforge.testing.Resources;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeMount;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class SecretVariablesTest {
    private static final WorkerDeployment DEPLOYMENTS = new WorkerDeployment(
            Map.of("command", "worker-command:test"),
            "IfNotPresent",
            WorkerDefaults.NONE,
            "operator-0",
            TelemetrySettings.OFF,
            new NatsMounts(false));
    private static final String KEY = "{name: KEY, valueFrom: {secretKeyRef: {name: llm, key: key}}}";
    private static final String FROM = "envFrom: [{secretRef: {name: llm}}]";

    @Test
    void aVariableOfASecretIsAFile() throws Exception {
        final PodSpec pod = pod("env: [" + KEY + ", {name: PLAIN, value: a}]");
        assertThat(names(pod)).contains("PLAIN").doesNotContain("KEY");
        final Volume volume = volume(pod, "codeforge-env");
        assertThat(volume.getProjected().getDefaultMode()).isEqualTo(0440);
        assertThat(volume.getProjected().getSources()).singleElement().satisfies(source -> {
            assertThat(source.getSecret().getName()).isEqualTo("llm");
            assertThat(source.getSecret().getItems()).singleElement().satisfies(item -> assertThat(
                            item.getKey() + " " + item.getPath())
                    .isEqualTo("key KEY"));
        });
        assertThat(mount(pod, "codeforge-env").getMountPath()).isEqualTo("/run/codeforge/env");
        assertThat(mount(pod, "codeforge-env").getReadOnly()).isTrue();
        assertThat(told(pod).at("/variables"))
                .hasToString(
                        "[{\"name\":\"KEY\",\"origin\":\"key key of Secret llm\",\"path\":\"/run/codeforge/env/KEY\"}]");
    }

    @Test
    void ofAllVariablesOfASecretEachIsAFile() throws Exception {
        final PodSpec pod = pod(
                """
                envFrom: [{secretRef: {name: llm}}, {prefix: A_, secretRef: {name: more, optional: true}}, {configMapRef: {name: map}}]
                """);
        assertThat(worker(pod).getEnvFrom()).isEmpty();
        assertThat(volume(pod, "codeforge-env-0").getProjected().getSources())
                .singleElement()
                .satisfies(source -> assertThat(source.getSecret().getName()).isEqualTo("llm"));
        assertThat(mount(pod, "codeforge-env-1").getMountPath()).isEqualTo("/run/codeforge/env-1");
        assertThat(volume(pod, "codeforge-env-2").getProjected().getSources())
                .singleElement()
                .satisfies(source -> assertThat(source.getConfigMap().getName()).isEqualTo("map"));
        assertThat(told(pod).at("/sources"))
                .hasToString("[{\"origin\":\"Secret llm\",\"path\":\"/run/codeforge/env-0\",\"prefix\":\"\"},"
                        + "{\"origin\":\"\",\"path\":\"/run/codeforge/env-1\",\"prefix\":\"A_\"},"
                        + "{\"origin\":\"ConfigMap map\",\"path\":\"/run/codeforge/env-2\",\"prefix\":\"\"}]");
    }

    @Test
    void whatWinsOverThemIsTold() throws Exception {
        assertThat(told(pod("env: [{name: PLAIN, value: a}]\n" + FROM)).at("/given"))
                .extracting(JsonNode::asText)
                .contains("PLAIN", "NATS_URL", "CODEFORGE_POOL");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "args: [run, --, agent, $(KEY)]",
                "command: [sh, -c, 'agent $(KEY)']",
                "env: [{name: OTHER, value: 'key=$(KEY)'}]",
                "volumeMounts: [{name: workspace, mountPath: /data, subPathExpr: $(KEY)}]"
            })
    void whatAnotherFieldRefersToStaysAVariable(String field) throws Exception {
        final String env =
                field.startsWith("env") ? field.replace("[", "[" + KEY + ", ") : "env: [" + KEY + "]\n" + field;
        assertThat(names(pod(env))).contains("KEY").doesNotContain("CODEFORGE_SECRET_VARIABLES");
        // It may come of any source.
        assertThat(worker(pod(FROM + "\n" + field)).getEnvFrom()).hasSize(1);
    }

    @Test
    void aReferenceToAVariableOfTheTemplateLeavesSourcesAlone() throws Exception {
        assertThat(worker(pod("env: [{name: PLAIN, value: a}]\nargs: [$(PLAIN)]\n" + FROM))
                        .getEnvFrom())
                .isEmpty();
    }

    @Test
    void theOperatorsOwnVariablesAreLeftToIt() throws Exception {
        assertThat(names(pod("env: [" + KEY + "]"))).contains("NATS_PASSWORD");
    }

    @ParameterizedTest
    @ValueSource(strings = {"env: [{name: A, value: b}]", "envFrom: [{configMapRef: {name: map}}]", "image: a"})
    void withoutASecretNothingChanges(String fields) throws Exception {
        assertThat(names(pod(fields))).doesNotContain("CODEFORGE_SECRET_VARIABLES");
        assertThat(pod(fields).getVolumes())
                .extracting(Volume::getName)
                .containsExactly("workspace", "tmp", "nats-credential");
    }

    @Test
    void ofAnotherContainerTheyStay() throws Exception {
        final PodSpec pod = template("{name: other, image: a, env: [" + KEY + "], " + FROM + "}", "Preferred");
        assertThat(pod.getContainers().getLast().getEnv()).hasSize(1);
        assertThat(pod.getContainers().getLast().getEnvFrom()).hasSize(1);
    }

    @Test
    void withoutWallsTheyStayVariables() throws Exception {
        final PodSpec pod = template("{name: worker, env: [" + KEY + "], " + FROM + "}", "Off");
        assertThat(names(pod))
                .contains("KEY", "NATS_PASSWORD")
                .doesNotContain("CODEFORGE_SECRET_VARIABLES", "CODEFORGE_NATS_LOGIN");
        assertThat(worker(pod).getEnvFrom()).hasSize(1);
    }

    private static PodSpec pod(String fields) throws Exception {
        return template("\n    name: worker\n" + fields.strip().indent(4), "Preferred");
    }

    private static PodSpec template(String container, String isolation) throws Exception {
        final WorkerPool pool = Resources.pool("ns", "pool", null);
        pool.setSpec(Resources.of(
                WorkerPoolSpec.class,
                "backend: command\nisolation: {agent: " + isolation + "}\ntemplate:\n spec:\n  containers:\n  - "
                        + container.strip() + "\n"));
        return DEPLOYMENTS.of(pool, "tasks.test").getSpec().getTemplate().getSpec();
    }

    private static Container worker(PodSpec pod) {
        return pod.getContainers().stream()
                .filter(container -> container.getName().equals("worker"))
                .findFirst()
                .orElseThrow();
    }

    private static java.util.List<String> names(PodSpec pod) {
        return worker(pod).getEnv().stream().map(EnvVar::getName).toList();
    }

    private static JsonNode told(PodSpec pod) throws Exception {
        return new ObjectMapper()
                .readTree(worker(pod).getEnv().stream()
                        .filter(variable -> variable.getName().equals("CODEFORGE_SECRET_VARIABLES"))
                        .findFirst()
                        .orElseThrow()
                        .getValue());
    }

    private static Volume volume(PodSpec pod, String name) {
        return pod.getVolumes().stream()
                .filter(volume -> volume.getName().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private static VolumeMount mount(PodSpec pod, String name) {
        return worker(pod).getVolumeMounts().stream()
                .filter(mount -> mount.getName().equals(name))
                .findFirst()
                .orElseThrow();
    }
}
