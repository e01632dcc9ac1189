package dev.codeforge.operator.pool.workers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.operator.settings.WorkerDefaults;
import dev.codeforge.testing.Resources;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.ResourceRequirements;
import io.fabric8.kubernetes.api.model.SecurityContext;
import io.fabric8.kubernetes.api.model.Volume;
import org.junit.jupiter.api.Test;

/** What the template says wins, then the platform, then what passes restricted Pod Security. */
final class PodDefaultsTest {
    private static final PodDefaults OF_A_PLATFORM = new PodDefaults(
            Resources.of(
                    WorkerDefaults.class,
                    """
            resources:
              requests: {cpu: 100m, ephemeral-storage: 64Mi}
              limits: {memory: 2Gi, ephemeral-storage: 13Gi}
            imagePullSecrets: [registry, mirror]
            runtimeClassName: gvisor
            priorityClassName: low
            nodeSelector: {pool: agents, disk: ssd}
            tolerations: [{key: agents, operator: Exists}]
            affinity:
              nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, preference: {}}]}
              podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1}]}
            podSecurityContext: {fsGroup: 5, runAsUser: 6}
            securityContext: {readOnlyRootFilesystem: false}
            workspaceSizeLimit: 10Gi
            tmpSizeLimit: 2Gi
            """));

    private static final PodDefaults OF_NOBODY = new PodDefaults(WorkerDefaults.NONE);

    @Test
    void aPodThatSaysNothingIsThePlatforms() {
        final PodSpec pod = OF_A_PLATFORM.complete(new PodSpec());
        assertThat(pod)
                .isEqualTo(
                        pod(
                                """
                        imagePullSecrets: [{name: registry}, {name: mirror}]
                        runtimeClassName: gvisor
                        priorityClassName: low
                        nodeSelector: {pool: agents, disk: ssd}
                        tolerations: [{key: agents, operator: Exists}]
                        affinity:
                          nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, preference: {}}]}
                          podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1}]}
                        securityContext:
                          runAsNonRoot: true
                          runAsUser: 6
                          runAsGroup: 10001
                          fsGroup: 5
                          seccompProfile: {type: RuntimeDefault}
                        """));
    }

    @Test
    void eachFieldOfTheTemplateWinsAndLeavesTheOthers() {
        final PodSpec pod = OF_A_PLATFORM.complete(
                pod(
                        """
                        imagePullSecrets: [{name: own}, {name: registry}]
                        runtimeClassName: runc
                        nodeSelector: {disk: hdd}
                        tolerations: [{key: own, operator: Exists}]
                        affinity: {podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 9}]}}
                        securityContext: {runAsUser: 7}
                        """));
        assertThat(pod)
                .isEqualTo(
                        pod(
                                """
                        imagePullSecrets: [{name: own}, {name: registry}, {name: mirror}]
                        runtimeClassName: runc
                        priorityClassName: low
                        nodeSelector: {pool: agents, disk: hdd}
                        tolerations: [{key: own, operator: Exists}, {key: agents, operator: Exists}]
                        affinity:
                          nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, preference: {}}]}
                          podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 9}]}
                        securityContext:
                          runAsNonRoot: true
                          runAsUser: 7
                          runAsGroup: 10001
                          fsGroup: 5
                          seccompProfile: {type: RuntimeDefault}
                        """));
    }

    @Test
    void aPlatformThatSaysNothingAddsOnlyWhatRestrictedPodsHave() {
        assertThat(OF_NOBODY.complete(new PodSpec()))
                .isEqualTo(
                        pod(
                                """
                        securityContext:
                          runAsNonRoot: true
                          runAsUser: 10001
                          runAsGroup: 10001
                          fsGroup: 10001
                          seccompProfile: {type: RuntimeDefault}
                        """));
        assertThat(OF_NOBODY.resources(null)).isNull();
    }

    @Test
    void theWorkersSecurityContextIsCompletedFieldByField() {
        assertThat(OF_NOBODY.securityContext(null))
                .isEqualTo(
                        security(
                                "{allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}"));
        assertThat(OF_NOBODY.securityContext(security("{runAsUser: 3, capabilities: {add: [NET_BIND_SERVICE]}}")))
                .isEqualTo(
                        security(
                                "{runAsUser: 3, allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {add: [NET_BIND_SERVICE], drop: [ALL]}}"));
        assertThat(OF_A_PLATFORM.securityContext(security("{allowPrivilegeEscalation: true}")))
                .isEqualTo(
                        security(
                                "{allowPrivilegeEscalation: true, readOnlyRootFilesystem: false, capabilities: {drop: [ALL]}}"));
    }

    @Test
    void aResourceThatTheTemplateNamesIsTheTemplatesAlone() {
        assertThat(OF_A_PLATFORM.resources(null))
                .isEqualTo(
                        resources(
                                "{requests: {cpu: 100m, ephemeral-storage: 64Mi}, limits: {memory: 2Gi, ephemeral-storage: 13Gi}}"));
        // A limit of 2Gi below a request of 4Gi would be no pod.
        assertThat(OF_A_PLATFORM.resources(resources("{requests: {memory: 4Gi}, limits: {cpu: 50m}}")))
                .isEqualTo(
                        resources(
                                "{requests: {memory: 4Gi, ephemeral-storage: 64Mi}, limits: {cpu: 50m, ephemeral-storage: 13Gi}}"));
    }

    @Test
    void whatARunMayFillIsBounded() {
        assertThat(limit("{name: workspace, emptyDir: {}}")).isEqualTo("10Gi");
        assertThat(limit("{name: tmp, emptyDir: {medium: Memory}}")).isEqualTo("2Gi");
        assertThat(limit("{name: workspace, emptyDir: {sizeLimit: 50Gi}}")).isEqualTo("50Gi");
        assertThat(limit("{name: cache, emptyDir: {}}")).isNull();
        final Volume claim = Resources.of(Volume.class, "{name: workspace, persistentVolumeClaim: {claimName: big}}");
        assertThat(OF_A_PLATFORM.bounded(claim)).isEqualTo(claim);
    }

    private static String limit(String volume) {
        final Quantity limit = OF_A_PLATFORM
                .bounded(Resources.of(Volume.class, volume))
                .getEmptyDir()
                .getSizeLimit();
        return limit == null ? null : limit.toString();
    }

    private static PodSpec pod(String yaml) {
        return Resources.of(PodSpec.class, yaml);
    }

    private static SecurityContext security(String yaml) {
        return Resources.of(Container.class, "securityContext: " + yaml).getSecurityContext();
    }

    private static ResourceRequirements resources(String yaml) {
        return Resources.of(ResourceRequirements.class, yaml);
    }
}
