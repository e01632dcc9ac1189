package dev.codeforge.operator.pool.workers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.api.WorkerPoolSpec;
import dev.codeforge.api.WorkerPoolSpec.Credential;
import dev.codeforge.api.WorkerPoolSpec.GitAccess;
import dev.codeforge.api.WorkerPoolSpec.SecretRef;
import dev.codeforge.operator.settings.WorkerDefaults;
import dev.codeforge.operator.tracing.TelemetrySettings;
import dev.codeforge.testing.Resources;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.KeyToPath;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class WorkerDeploymentTest {
    private static final NatsMounts GIVEN = new NatsMounts(false);
    private static final WorkerDeployment DEPLOYMENTS = new WorkerDeployment(
            Map.of("command", "worker-command:test"),
            "IfNotPresent",
            WorkerDefaults.NONE,
            "operator-0",
            TelemetrySettings.OFF,
            GIVEN);

    @Test
    void aPoolWithoutATemplateGetsAWholeWorker() throws Exception {
        final Deployment deployment = of(null);
        assertThat(deployment.getMetadata().getName()).isEqualTo("pool-workers");
        assertThat(deployment.getMetadata().getNamespace()).isEqualTo("ns");
        assertThat(deployment.getMetadata().getOwnerReferences()).isEmpty();
        assertThat(deployment.getMetadata().getAnnotations())
                .containsExactly(Map.entry("codeforge.dev/operator", "operator-0"));
        final Container worker = worker(deployment);
        assertThat(worker.getImage()).isEqualTo("worker-command:test");
        assertThat(worker.getImagePullPolicy()).isEqualTo("IfNotPresent");
        assertThat(worker.getReadinessProbe().getHttpGet().getPath()).isEqualTo("/readyz");
        assertThat(worker.getLivenessProbe().getHttpGet().getPath()).isEqualTo("/livez");
        assertThat(worker.getLifecycle().getPreStop().getSleep().getSeconds()).isEqualTo(2);
        assertThat(value(worker, "CODEFORGE_STREAM")).isEqualTo("tasks_ns_pool");
        assertThat(value(worker, "CODEFORGE_CONSUMER")).isEqualTo("workers");
        assertThat(value(worker, "CODEFORGE_SUBJECT")).isEqualTo("tasks.test");
        assertThat(value(worker, "CODEFORGE_BACKEND")).isEqualTo("command");
        assertThat(value(worker, "CODEFORGE_CONCURRENCY")).isEqualTo("1");
        assertThat(value(worker, "CODEFORGE_GIT_CREDENTIALS")).isEqualTo("[]");
        assertThat(value(worker, "CODEFORGE_EGRESS")).isEqualTo("Restricted");
        assertThat(value(worker, "CODEFORGE_EGRESS_ALLOW")).isEmpty();
    }

    @Test
    void thePlatformsHostsAreForPoolsWithoutAListOfTheirOwn() throws Exception {
        final WorkerDeployment platform = new WorkerDeployment(
                Map.of("command", "worker-command:test"),
                "IfNotPresent",
                Resources.of(WorkerDefaults.class, "egressAllow: [a.example.org, '.b.example.org']"),
                "operator-0",
                TelemetrySettings.OFF,
                GIVEN);
        final WorkerPool pool = Resources.pool("ns", "pool", null);
        assertThat(value(worker(platform.of(pool, "tasks.test")), "CODEFORGE_EGRESS_ALLOW"))
                .isEqualTo("a.example.org,.b.example.org");
        pool.setSpec(Resources.of(
                WorkerPoolSpec.class, "{backend: command, isolation: {egress: {allow: [c.example.org]}}}"));
        assertThat(value(worker(platform.of(pool, "tasks.test")), "CODEFORGE_EGRESS_ALLOW"))
                .isEqualTo("c.example.org");
        pool.setSpec(Resources.of(WorkerPoolSpec.class, "{backend: command, isolation: {egress: {allow: []}}}"));
        assertThat(value(worker(platform.of(pool, "tasks.test")), "CODEFORGE_EGRESS_ALLOW"))
                .isEmpty();
    }

    @Test
    void theNumberOfWorkersIsNotTheTemplates() throws Exception {
        assertThat(of(null).getSpec().getReplicas()).isNull();
    }

    @Test
    void theSelectorIsThePoolAlone() throws Exception {
        assertThat(of(null).getSpec().getSelector().getMatchLabels())
                .containsExactly(Map.entry("codeforge.dev/pool", "pool"));
        assertThat(of(null).getSpec().getTemplate().getMetadata().getLabels())
                .containsEntry("codeforge.dev/pool", "pool")
                .containsEntry("codeforge.dev/backend", "command")
                .containsEntry("app.kubernetes.io/managed-by", "codeforge-operator");
    }

    @Test
    void aRolloutTakesNoWorkerAwayBeforeItsSuccessorIsReady() throws Exception {
        assertThat(of(null).getSpec()
                        .getStrategy()
                        .getRollingUpdate()
                        .getMaxUnavailable()
                        .getIntVal())
                .isZero();
    }

    @Test
    void aWorkerMayFinishItsRunBeforeItIsKilled() throws Exception {
        final Deployment deployment = of(null);
        assertThat(pod(deployment).getTerminationGracePeriodSeconds()).isEqualTo(1800 + 60);
        assertThat(value(worker(deployment), "CODEFORGE_GRACE_SECONDS")).isEqualTo("1830");
    }

    @Test
    void aGraceOfTheTemplateIsKeptAndTold() throws Exception {
        final Deployment deployment = of("{'spec': {'terminationGracePeriodSeconds': 20}}");
        assertThat(pod(deployment).getTerminationGracePeriodSeconds()).isEqualTo(20);
        assertThat(value(worker(deployment), "CODEFORGE_GRACE_SECONDS")).isEqualTo("0");
    }

    @Test
    void aHookOfTheTemplateIsKept() throws Exception {
        final Deployment deployment = of("{'spec': {'containers': [{'name': 'worker',"
                + " 'lifecycle': {'preStop': {'exec': {'command': ['own']}}, 'stopSignal': 'SIGTERM'}}]}}");
        final var hooks = worker(deployment).getLifecycle();
        assertThat(hooks.getPreStop().getExec().getCommand()).containsExactly("own");
        assertThat(hooks.getPreStop().getSleep()).isNull();
    }

    @Test
    void workersRunAsNobodyInParticular() throws Exception {
        final Deployment deployment = of(null);
        assertThat(pod(deployment).getAutomountServiceAccountToken()).isFalse();
        assertThat(pod(deployment).getSecurityContext().getRunAsNonRoot()).isTrue();
        assertThat(pod(deployment).getSecurityContext().getRunAsUser()).isEqualTo(10001);
        assertThat(worker(deployment).getSecurityContext().getReadOnlyRootFilesystem())
                .isTrue();
        assertThat(worker(deployment).getSecurityContext().getCapabilities().getDrop())
                .containsExactly("ALL");
        assertThat(worker(deployment).getVolumeMounts())
                .extracting(VolumeMount::getMountPath)
                .containsExactly("/workspace", "/tmp", "/run/codeforge/nats");
    }

    @Test
    void theNatsCredentialComesFromThePoolsSecret() throws Exception {
        final EnvVar password = variable(worker(of(null)), "NATS_PASSWORD");
        assertThat(password.getValue()).isNull();
        assertThat(password.getValueFrom().getSecretKeyRef().getName()).isEqualTo("pool-workers");
        assertThat(password.getValueFrom().getSecretKeyRef().getKey()).isEqualTo("password");
    }

    @Test
    void aUserAndAPasswordAreFilesBesideWhichTheKubeletRenews() throws Exception {
        final Deployment deployment = of(null);
        assertThat(value(worker(deployment), "CODEFORGE_NATS_LOGIN")).isEqualTo("/run/codeforge/nats");
        assertThat(pod(deployment).getVolumes())
                .filteredOn(volume -> volume.getSecret() != null)
                .singleElement()
                .satisfies(volume -> {
                    assertThat(volume.getSecret().getSecretName()).isEqualTo("pool-workers");
                    assertThat(volume.getSecret().getItems())
                            .extracting(KeyToPath::getPath)
                            .containsExactly("username", "password");
                });
    }

    @Test
    void aUserOfTheTemplateIsInNoFile() {
        assertThat(NatsMounts.isReplaced("CODEFORGE_NATS_LOGIN", "NATS_USER")).isTrue();
        assertThat(NatsMounts.isReplaced("CODEFORGE_NATS_LOGIN", "NATS_URL")).isFalse();
        assertThat(NatsMounts.isReplaced("NATS_URL", "NATS_URL")).isTrue();
    }

    /** A variable and a single file of a folder keep what they were when the pod began. */
    @Test
    void aMintedCredentialIsAFolderThatTheKubeletRenews() throws Exception {
        final Deployment deployment = new WorkerDeployment(
                        Map.of("command", "worker-command:test"),
                        "IfNotPresent",
                        WorkerDefaults.NONE,
                        "operator-0",
                        TelemetrySettings.OFF,
                        new NatsMounts(true))
                .of(pool("command", null, null), "tasks.test");
        final Container worker = worker(deployment);
        assertThat(value(worker, "CODEFORGE_NATS_CREDENTIALS")).isEqualTo("/run/codeforge/nats/nats.creds");
        assertThat(worker.getEnv()).extracting(EnvVar::getName).doesNotContain("NATS_USER", "NATS_PASSWORD");
        assertThat(worker.getVolumeMounts())
                .filteredOn(mount -> mount.getMountPath().equals("/run/codeforge/nats"))
                .singleElement()
                .satisfies(mount -> {
                    assertThat(mount.getReadOnly()).isTrue();
                    assertThat(mount.getSubPath()).isNull();
                });
        assertThat(pod(deployment).getVolumes())
                .filteredOn(volume -> volume.getSecret() != null)
                .singleElement()
                .satisfies(volume -> {
                    assertThat(volume.getSecret().getSecretName()).isEqualTo("pool-workers");
                    assertThat(volume.getSecret().getDefaultMode()).isEqualTo(0440);
                    assertThat(volume.getSecret().getItems())
                            .singleElement()
                            .satisfies(item -> assertThat(item.getKey()).isEqualTo("nats.creds"));
                });
    }

    @Test
    void whatTheTemplateSaysWins() throws Exception {
        final Deployment deployment = of(
                """
                {'metadata': {'labels': {'team': 'a'}, 'annotations': {'note': 'b'}},
                 'spec': {
                   'automountServiceAccountToken': true,
                   'securityContext': {'runAsUser': 5},
                   'nodeSelector': {'disk': 'ssd'},
                   'volumes': [{'name': 'workspace', 'persistentVolumeClaim': {'claimName': 'big'}}],
                   'containers': [
                     {'name': 'proxy', 'image': 'proxy:1'},
                     {'name': 'worker', 'image': 'own:2', 'imagePullPolicy': 'Always',
                      'args': ['run', '--', 'true'],
                      'securityContext': {'privileged': false},
                      'readinessProbe': {'exec': {'command': ['true']}},
                      'volumeMounts': [{'name': 'other', 'mountPath': '/tmp'}],
                      'env': [{'name': 'CODEFORGE_WORKSPACE', 'value': '/elsewhere'},
                              {'name': 'OPENAI_API_KEY', 'value': 'k'}]}]}}
                """);
        final Container worker = worker(deployment);
        assertThat(worker.getImage()).isEqualTo("own:2");
        assertThat(worker.getImagePullPolicy()).isEqualTo("Always");
        assertThat(worker.getArgs()).containsExactly("run", "--", "true");
        assertThat(worker.getSecurityContext().getPrivileged()).isFalse();
        assertThat(worker.getSecurityContext().getReadOnlyRootFilesystem()).isTrue();
        assertThat(worker.getReadinessProbe().getHttpGet()).isNull();
        assertThat(value(worker, "CODEFORGE_WORKSPACE")).isEqualTo("/elsewhere");
        assertThat(value(worker, "OPENAI_API_KEY")).isEqualTo("k");
        assertThat(worker.getEnv()).extracting(EnvVar::getName).doesNotHaveDuplicates();
        assertThat(worker.getVolumeMounts())
                .extracting(VolumeMount::getMountPath)
                .containsExactlyInAnyOrder("/tmp", "/workspace", "/run/codeforge/nats");
        final PodSpec pod = pod(deployment);
        assertThat(pod.getAutomountServiceAccountToken()).isTrue();
        assertThat(pod.getSecurityContext().getRunAsUser()).isEqualTo(5);
        assertThat(pod.getSecurityContext().getRunAsNonRoot()).isTrue();
        assertThat(pod.getNodeSelector()).containsEntry("disk", "ssd");
        assertThat(pod.getVolumes())
                .filteredOn(volume -> volume.getName().equals("workspace"))
                .singleElement()
                .satisfies(
                        volume -> assertThat(volume.getPersistentVolumeClaim().getClaimName())
                                .isEqualTo("big"));
        assertThat(pod.getContainers()).extracting(Container::getName).containsExactly("proxy", "worker");
        assertThat(deployment.getSpec().getTemplate().getMetadata().getLabels())
                .containsEntry("team", "a")
                .containsEntry("codeforge.dev/pool", "pool");
        assertThat(deployment.getSpec().getTemplate().getMetadata().getAnnotations())
                .containsEntry("note", "b");
    }

    @Test
    void whatThePlatformSetsIsUnderTheTemplate() throws Exception {
        final WorkerDefaults platform = Resources.of(
                WorkerDefaults.class,
                "{resources: {limits: {memory: 2Gi}}, runtimeClassName: gvisor, workspaceSizeLimit: 10Gi}");
        final Deployment deployment = new WorkerDeployment(
                        Map.of("command", "worker-command:test"),
                        "IfNotPresent",
                        platform,
                        "operator-0",
                        TelemetrySettings.OFF,
                        GIVEN)
                .of(pool("command", null, null), "tasks.test");
        assertThat(pod(deployment).getRuntimeClassName()).isEqualTo("gvisor");
        assertThat(worker(deployment).getResources().getLimits()).containsKey("memory");
        assertThat(pod(deployment).getVolumes())
                .filteredOn(volume -> volume.getName().equals("workspace"))
                .singleElement()
                .satisfies(volume ->
                        assertThat(volume.getEmptyDir().getSizeLimit()).hasToString("10Gi"));
    }

    @Test
    void theLabelThatSelectsThePodsIsNotTheTemplates() throws Exception {
        final Deployment deployment = of("{'metadata': {'labels': {'codeforge.dev/pool': 'another'}}}");
        assertThat(deployment.getSpec().getTemplate().getMetadata().getLabels())
                .containsEntry("codeforge.dev/pool", "pool");
    }

    @Test
    void aTemplateOfSidecarsGetsAWorkerBesideThem() throws Exception {
        final Deployment deployment = of("{'spec': {'containers': [{'name': 'proxy', 'image': 'proxy:1'}]}}");
        assertThat(pod(deployment).getContainers())
                .extracting(Container::getName)
                .containsExactly("worker", "proxy");
    }

    @Test
    void aFieldThatDoesNotExistIsKeptForTheApiServerToRefuse() throws Exception {
        assertThat(pod(of("{'spec': {'replicaz': 3}}")).getAdditionalProperties())
                .containsEntry("replicaz", 3);
    }

    @Test
    void gitCredentialsAreMountedReadOnlyAndTold() throws Exception {
        final WorkerPool pool = pool(
                "command",
                new GitAccess(List.of(
                        new Credential("https://git.example.com/", new SecretRef("first")),
                        new Credential("ssh://git.example.com/", new SecretRef("second")))),
                null);
        final Deployment deployment = DEPLOYMENTS.of(pool, "tasks.test");
        assertThat(value(worker(deployment), "CODEFORGE_GIT_CREDENTIALS"))
                .isEqualTo("[{\"path\":\"/run/codeforge/git/0\",\"url\":\"https://git.example.com/\"},"
                        + "{\"path\":\"/run/codeforge/git/1\",\"url\":\"ssh://git.example.com/\"}]");
        assertThat(pod(deployment).getVolumes())
                .filteredOn(volume -> volume.getName().startsWith("git-"))
                .extracting(Volume::getName, volume -> volume.getSecret().getSecretName())
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple("git-0", "first"),
                        org.assertj.core.groups.Tuple.tuple("git-1", "second"));
        assertThat(worker(deployment).getVolumeMounts())
                .filteredOn(mount -> mount.getName().startsWith("git-"))
                .hasSize(2)
                .allSatisfy(mount -> assertThat(mount.getReadOnly()).isTrue());
    }

    @Test
    void theWorkerIsToldHowItsAgentsAreIsolated() throws Exception {
        assertThat(value(worker(of("{}")), "CODEFORGE_ISOLATION")).isEqualTo("Preferred");
        final WorkerPool pool = pool("command", null, null);
        pool.setSpec(Resources.poolSpec(Map.of("backend", "command", "isolation", Map.of("agent", "Required"))));
        assertThat(value(worker(DEPLOYMENTS.of(pool, "tasks.test")), "CODEFORGE_ISOLATION"))
                .isEqualTo("Required");
    }

    @Test
    void theWorkerIsToldWhetherItIsForOneTask() throws Exception {
        assertThat(value(worker(of("{}")), "CODEFORGE_WORKER_PER_TASK")).isEqualTo("false");
        final WorkerPool pool = pool("command", null, null);
        pool.setSpec(Resources.poolSpec(Map.of("backend", "command", "isolation", Map.of("workerPerTask", true))));
        assertThat(value(worker(DEPLOYMENTS.of(pool, "tasks.test")), "CODEFORGE_WORKER_PER_TASK"))
                .isEqualTo("true");
    }

    @Test
    void theWorkerReleasesItsRunsAtOnceWhereThePoolSaysSo() throws Exception {
        assertThat(worker(of("{}")).getEnv()).extracting(EnvVar::getName).doesNotContain("CODEFORGE_ON_EVICTION");
        final WorkerPool pool = pool("command", null, null);
        pool.setSpec(Resources.poolSpec(Map.of("backend", "command", "onEviction", "GiveBack")));
        assertThat(value(worker(DEPLOYMENTS.of(pool, "tasks.test")), "CODEFORGE_ON_EVICTION"))
                .isEqualTo("GiveBack");
    }

    @Test
    void theWorkerMayEmptyTemporaryFoldersThatNoTemplateHasFilled() throws Exception {
        assertThat(value(worker(of("{}")), "CODEFORGE_TEMPORARY")).isEqualTo("/tmp:/dev/shm");
        assertThat(value(
                        worker(of("{'spec': {'containers': [{'name': 'worker', 'volumeMounts':"
                                + " [{'name': 'kept', 'mountPath': '/tmp'}]}]}}")),
                        "CODEFORGE_TEMPORARY"))
                .isEqualTo("/dev/shm");
        assertThat(value(
                        worker(of("{'spec': {'volumes': [{'name': 'tmp', 'hostPath': {'path': '/tmp'}}]}}")),
                        "CODEFORGE_TEMPORARY"))
                .isEqualTo("/dev/shm");
    }

    @Test
    void aBackendWithoutAnImageSaysWhereToNameOne() {
        assertThatThrownBy(() -> DEPLOYMENTS.of(pool("aider", null, null), "tasks.test"))
                .isInstanceOf(InvalidTemplateException.class)
                .hasMessage(
                        "no image is known for backend aider: set it on container worker in spec.template, or in the"
                                + " operator's workerImages (known: command)");
    }

    @Test
    void aBackendOfOnesOwnBringsItsImage() throws Exception {
        final WorkerPool pool = pool("mine", null, "{'spec': {'containers': [{'name': 'worker', 'image': 'mine:1'}]}}");
        assertThat(worker(DEPLOYMENTS.of(pool, "tasks.test")).getImage()).isEqualTo("mine:1");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{'spec': {'containers': 'oops'}}",
                "{'spec': {'containers': [7]}}",
                "{'spec': 'oops'}",
                "'oops'",
                "[1]",
                "7",
                "{'spec': {'terminationGracePeriodSeconds': 'soon'}}"
            })
    void aTemplateThatIsNoneIsRefusedInASentence(String template) {
        assertThatThrownBy(() -> of(template))
                .isInstanceOf(InvalidTemplateException.class)
                .hasMessageStartingWith("spec.template is not a PodTemplateSpec: ");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{'metadata': null, 'spec': null}",
                "{'spec': {'containers': null, 'volumes': null}}",
                "{'spec': {'containers': [{'name': 'worker', 'env': null, 'volumeMounts': null}]}}"
            })
    void anExplicitNullIsAsGoodAsNothing(String template) throws Exception {
        assertThat(of(template)).isEqualTo(of(null));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{'spec': {'containers': [null]}}",
                "{'spec': {'volumes': [null]}}",
                "{'spec': {'containers': [{'name': 'worker', 'env': [null]}]}}",
                "{'spec': {'containers': [{'name': 'worker', 'env': [{'value': 'x'}]}]}}",
                "{'spec': {'containers': [{'name': 'worker', 'volumeMounts': [null]}]}}"
            })
    void aHoleInAListStopsNothing(String template) throws Exception {
        assertThat(worker(of(template)).getImage()).isEqualTo("worker-command:test");
    }

    private static final TelemetrySettings COLLECTOR = TelemetrySettings.from(Map.of(
            "OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318",
            "OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20s3cret",
            "OTEL_SERVICE_NAME", "the-operators"));

    @Test
    void aWorkerIsToldTheOperatorsCollectorAndItsKeyByASecret() throws Exception {
        final Container worker = traced(null);
        assertThat(value(worker, "OTEL_EXPORTER_OTLP_ENDPOINT")).isEqualTo("http://collector:4318");
        assertThat(worker.getEnv())
                .filteredOn(variable -> variable.getName().equals("OTEL_EXPORTER_OTLP_HEADERS"))
                .singleElement()
                .satisfies(variable -> {
                    assertThat(variable.getValue()).isNull();
                    assertThat(variable.getValueFrom().getSecretKeyRef().getName())
                            .isEqualTo("pool-workers");
                    assertThat(variable.getValueFrom().getSecretKeyRef().getKey())
                            .isEqualTo("OTEL_EXPORTER_OTLP_HEADERS");
                });
        assertThat(worker.getEnv()).noneMatch(variable -> variable.getName().equals("OTEL_SERVICE_NAME"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"http://theirs:4318", ""})
    void aPoolsOwnCollectorIsNotSentTheKeyOfTheOperators(String theirs) throws Exception {
        final Container worker = traced("{'spec': {'containers': [{'name': 'worker',"
                + " 'env': [{'name': 'OTEL_EXPORTER_OTLP_ENDPOINT', 'value': '" + theirs + "'}]}]}}");
        assertThat(value(worker, "OTEL_EXPORTER_OTLP_ENDPOINT")).isEqualTo(theirs);
        assertThat(worker.getEnv()).noneMatch(variable -> variable.getName().equals("OTEL_EXPORTER_OTLP_HEADERS"));
    }

    private static Container traced(String template) throws Exception {
        final WorkerDeployment deployments = new WorkerDeployment(
                Map.of("command", "worker-command:test"),
                "IfNotPresent",
                WorkerDefaults.NONE,
                "operator-0",
                COLLECTOR,
                GIVEN);
        return worker(deployments.of(pool("command", null, template), "tasks.test"));
    }

    private static Deployment of(String template) throws InvalidTemplateException, JsonProcessingException {
        return DEPLOYMENTS.of(pool("command", null, template), "tasks.test");
    }

    private static WorkerPool pool(String backend, GitAccess git, String template) throws JsonProcessingException {
        final Map<String, Object> fields =
                new HashMap<>(Map.of("backend", backend, "queue", Map.of("subject", "tasks.test")));
        if (git != null) {
            fields.put("git", git);
        }
        if (template != null) {
            fields.put("template", new ObjectMapper().readTree(template.replace('\'', '"')));
        }
        final WorkerPool pool = Resources.pool("ns", "pool", null);
        pool.setSpec(Resources.poolSpec(fields));
        return pool;
    }

    private static PodSpec pod(Deployment deployment) {
        return deployment.getSpec().getTemplate().getSpec();
    }

    private static Container worker(Deployment deployment) {
        return pod(deployment).getContainers().stream()
                .filter(container -> container.getName().equals("worker"))
                .findFirst()
                .orElseThrow();
    }

    private static EnvVar variable(Container container, String name) {
        return container.getEnv().stream()
                .filter(variable -> name.equals(variable.getName()))
                .findFirst()
                .orElseThrow();
    }

    private static String value(Container container, String name) {
        return variable(container, name).getValue();
    }
}
