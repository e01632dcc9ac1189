package dev.codeforge.operator;

import static dev.codeforge.testing.Patience.PATIENCE;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.api.WorkerPoolSpec;
import dev.codeforge.testing.ChartRights;
import dev.codeforge.testing.Resources;
import dev.codeforge.testing.TestCluster;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.SecurityContextBuilder;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.fabric8.kubernetes.client.utils.Serialization;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The chart's poolPolicy, which lists service account agents, on a real API server. */
final class PoolPolicyIT {
    private static final String NAMESPACE = "team-a";
    private static TestCluster cluster;
    private static KubernetesClient admin;
    private static ChartRights rights;

    @BeforeAll
    static void install() throws Exception {
        cluster = new TestCluster();
        admin = cluster.client();
        admin.resource(new NamespaceBuilder()
                        .withNewMetadata()
                        .withName(NAMESPACE)
                        .endMetadata()
                        .build())
                .create();
        admin.resource(pool("older", "{spec: {hostPID: true}}")).create();
        rights = ChartRights.install(cluster, "default", "codeforge-system");
        ChartRights.install(cluster, "pool-policy", "codeforge-system");
        await().atMost(PATIENCE).until(() -> {
            try {
                admin.resource(pool("probe", "{spec: {hostPID: true}}"))
                        .dryRun()
                        .create();
                return false;
            } catch (KubernetesClientException refused) {
                return true;
            }
        });
    }

    @AfterAll
    static void stop() {
        cluster.server().close();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "null",
                "{}",
                "{spec: {containers: [{name: worker, image: own}]}}",
                "{spec: {serviceAccountName: agents, automountServiceAccountToken: true}}",
                "{spec: {serviceAccountName: default}}",
                "{spec: {securityContext: {runAsUser: 5}, volumes: [{name: workspace, persistentVolumeClaim: {claimName: c}}, {name: tmp, emptyDir: {}}]}}",
                "{spec: {containers: [{name: proxy, image: p, securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL], add: [NET_BIND_SERVICE]}}}]}}"
            })
    void aRestrictedTemplateIsTaken(String template) {
        assertThatCode(() -> admin.resource(pool("pool", template)).dryRun().create())
                .doesNotThrowAnyException();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{spec: {serviceAccountName: admin}} | admin is not in poolPolicy.serviceAccounts",
                "{spec: {serviceAccount: admin}} | admin is not in poolPolicy.serviceAccounts",
                "{spec: {automountServiceAccountToken: true}} | default is not in poolPolicy.serviceAccounts",
                "{spec: {volumes: [{name: t, projected: {sources: [{serviceAccountToken: {path: t}}]}}]}} | default is not in",
                "{spec: {hostNetwork: true}} | hostNetwork, hostPID and hostIPC",
                "{spec: {hostPID: true}} | hostNetwork, hostPID and hostIPC",
                "{spec: {volumes: [{name: host, hostPath: {path: /}}]}} | spec.template.spec.volumes",
                "{spec: {volumes: [{name: host, nfs: {server: s, path: /}}]}} | spec.template.spec.volumes",
                "{spec: {securityContext: {runAsUser: 0}}} | runAsNonRoot must be true",
                "{spec: {securityContext: {runAsNonRoot: false}}} | runAsNonRoot must be true",
                "{spec: {securityContext: {seccompProfile: {type: Unconfined}}}} | seccompProfile",
                "{spec: {securityContext: {sysctls: [{name: a, value: b}]}}} | sysctls",
                "{spec: {containers: [{name: worker, securityContext: {privileged: true}}]}} | privileged, procMount",
                "{spec: {initContainers: [{name: i, securityContext: {privileged: true}}]}} | privileged, procMount",
                "{spec: {containers: [{name: worker, securityContext: {runAsUser: 0}}]}} | privileged, procMount, root",
                "{spec: {containers: [{name: worker, ports: [{hostPort: 80}]}]}} | hostPort",
                "{spec: {containers: [{name: worker, securityContext: {allowPrivilegeEscalation: true}}]}} | must be false",
                "{spec: {containers: [{name: worker, securityContext: {capabilities: {add: [SYS_ADMIN]}}}]}} | NET_BIND_SERVICE",
                "{spec: {containers: [{name: worker, securityContext: {capabilities: {drop: [KILL]}}}]}} | have ALL",
                "{spec: {containers: [{name: proxy}]}} | a container other than a pool's worker needs",
                "{spec: {containers: [null]}} | must be of type object",
                "{spec: {hostPID: 'true'}} | ValidatingAdmissionPolicy"
            })
    void anyOtherIsRefusedInASentence(String template, String words) {
        assertThatThrownBy(() -> admin.resource(pool("pool", template)).dryRun().create())
                .isInstanceOf(KubernetesClientException.class)
                .hasMessageContaining(words);
    }

    @Test
    void aPoolDoesNotTakeTasksPastKubernetes() {
        final WorkerPool open = pool("pool", "null");
        open.setSpec(Resources.of(WorkerPoolSpec.class, "{backend: command, taskRequests: {allowedFrom: NATS}}"));
        assertThatThrownBy(() -> admin.resource(open).dryRun().create())
                .hasMessageContaining("spec.taskRequests.allowedFrom: NATS is not allowed by poolPolicy.taskRequests");
    }

    @Test
    void anOlderPoolMayGoButNotChange() {
        assertThatCode(() -> admin.resources(WorkerPool.class)
                        .inNamespace(NAMESPACE)
                        .withName("older")
                        .edit(pool -> {
                            pool.addFinalizer("codeforge.dev/workerpool");
                            return pool;
                        }))
                .doesNotThrowAnyException();
        assertThatThrownBy(() -> admin.resources(WorkerPool.class)
                        .inNamespace(NAMESPACE)
                        .withName("older")
                        .patch(PatchContext.of(PatchType.JSON_MERGE), "{\"spec\":{\"suspend\":true}}"))
                .hasMessageContaining("hostPID");
    }

    @Test
    void theOperatorMakesNoOtherDeployment() {
        try (KubernetesClient client = rights.operator()) {
            assertThatThrownBy(() -> client.resource(workers("hostPID: true")).serverSideApply())
                    .hasMessageContaining("hostNetwork, hostPID and hostIPC must be left out");
            // What the operator completes for a pool is complete when it comes from the operator.
            assertThatThrownBy(() -> client.resource(workers("hostPID: false")).serverSideApply())
                    .hasMessageContaining("runAsNonRoot must be true");
            final String completed =
                    """
                    securityContext: {runAsNonRoot: true, runAsUser: 10001, seccompProfile: {type: RuntimeDefault}}, volumes: [{name: workspace, emptyDir: {}}]""";
            assertThatThrownBy(() -> client.resource(workers(completed)).serverSideApply())
                    .hasMessageContaining("a container other than a pool's worker needs");
            final Deployment whole = workers(completed);
            whole.getSpec()
                    .getTemplate()
                    .getSpec()
                    .getContainers()
                    .getFirst()
                    .setSecurityContext(new SecurityContextBuilder()
                            .withAllowPrivilegeEscalation(false)
                            .withNewCapabilities()
                            .withDrop("ALL")
                            .endCapabilities()
                            .build());
            assertThatCode(() -> client.resource(whole).serverSideApply()).doesNotThrowAnyException();
        }
    }

    private static Deployment workers(String pod) {
        return Serialization.unmarshal(
                """
                apiVersion: apps/v1
                kind: Deployment
                metadata:
                  name: older-workers
                  namespace: %s
                  labels: {app.kubernetes.io/managed-by: codeforge-operator, codeforge.dev/pool: older}
                spec:
                  selector: {matchLabels: {codeforge.dev/pool: older}}
                  template:
                    metadata: {labels: {codeforge.dev/pool: older}}
                    spec: {%s, containers: [{name: worker, image: worker:test}]}
                """
                        .formatted(NAMESPACE, pod),
                Deployment.class);
    }

    private static WorkerPool pool(String name, String template) {
        return Serialization.unmarshal(
                """
                apiVersion: codeforge.dev/v1alpha1
                kind: WorkerPool
                metadata: {name: %s, namespace: %s}
                spec: {backend: command, template: %s}
                """
                        .formatted(name, NAMESPACE, template),
                WorkerPool.class);
    }
}
