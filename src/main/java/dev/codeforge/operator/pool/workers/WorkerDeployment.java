package dev.codeforge.operator.pool.workers;

import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.Nulls;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.codeforge.api.Names;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.operator.settings.WorkerDefaults;
import dev.codeforge.operator.tracing.TelemetrySettings;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerBuilder;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.PodSpecBuilder;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.PodTemplateSpecBuilder;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeBuilder;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentBuilder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The Deployment of a pool: the user's pod template, completed. The template wins over all defaults. */
public final class WorkerDeployment {
    static final String CONTAINER = "worker";
    /** An empty {@code env:} or list item in a user's YAML is null, and counts as absent. */
    private static final ObjectMapper JSON =
            new ObjectMapper().setDefaultSetterInfo(JsonSetter.Value.forValueNulls(Nulls.SKIP, Nulls.SKIP));

    private static final int AFTER_RUN_SECONDS = 60;

    private final WorkerContainer container;
    private final PodDefaults defaults;
    private final String operator;
    private final NatsMounts nats;

    /** @param operator the name of the operator that keeps the Deployments */
    public WorkerDeployment(
            Map<String, String> images,
            String imagePullPolicy,
            WorkerDefaults workerDefaults,
            String operator,
            TelemetrySettings telemetry,
            NatsMounts nats) {
        this.operator = operator;
        this.nats = nats;
        this.defaults = new PodDefaults(workerDefaults);
        this.container = new WorkerContainer(images, imagePullPolicy, telemetry, defaults, nats);
    }

    static Map<String, String> labels(WorkerPool pool) {
        return new TreeMap<>(Map.of(
                "app.kubernetes.io/name",
                "codeforge-worker",
                "app.kubernetes.io/instance",
                pool.getMetadata().getName(),
                "app.kubernetes.io/component",
                "worker",
                "app.kubernetes.io/managed-by",
                "codeforge-operator",
                Names.POOL_LABEL,
                pool.getMetadata().getName(),
                Names.BACKEND_LABEL,
                pool.getSpec().backend()));
    }

    public static String selector(WorkerPool pool) {
        return Names.POOL_LABEL + "=" + pool.getMetadata().getName();
    }

    /** Leaves the replicas out, because the operator does not set them in every pool. */
    public Deployment of(WorkerPool pool, String subject) throws InvalidTemplateException {
        return new DeploymentBuilder()
                .withNewMetadata()
                .withName(pool.workersName())
                .withNamespace(pool.getMetadata().getNamespace())
                .withLabels(labels(pool))
                // Another leader's first apply changes the resourceVersion that its predecessor would scale by.
                .addToAnnotations(Names.OPERATOR_ANNOTATION, operator)
                .endMetadata()
                .withNewSpec()
                .withNewSelector()
                .addToMatchLabels(Names.POOL_LABEL, pool.getMetadata().getName())
                .endSelector()
                .withNewStrategy()
                .withType("RollingUpdate")
                .withNewRollingUpdate()
                .withNewMaxUnavailable(0)
                .withNewMaxSurge(1)
                .endRollingUpdate()
                .endStrategy()
                .withTemplate(template(pool, subject))
                .endSpec()
                .build();
    }

    private PodTemplateSpec template(WorkerPool pool, String subject) throws InvalidTemplateException {
        final PodTemplateSpec template = given(pool.getSpec().template());
        final PodSpec spec = template.getSpec() == null ? new PodSpec() : template.getSpec();
        final long grace = spec.getTerminationGracePeriodSeconds() == null
                ? pool.getSpec().taskDefaults().runTimeoutSeconds() + AFTER_RUN_SECONDS
                : spec.getTerminationGracePeriodSeconds();
        final List<Container> containers = new ArrayList<>();
        final List<Volume> volumes = new ArrayList<>(spec.getVolumes());
        boolean found = false;
        for (final Container given : spec.getContainers()) {
            final boolean worker = CONTAINER.equals(given.getName());
            found |= worker;
            if (!worker) {
                containers.add(given);
                continue;
            }
            final SecretVariables variables =
                    SecretVariables.of(pool, given, container.complete(pool, subject, given, grace, spec.getVolumes()));
            containers.add(variables.container());
            variables.volumes().forEach(volume -> addVolume(volumes, volume));
        }
        if (!found) {
            containers.addFirst(container.complete(
                    pool, subject, new ContainerBuilder().withName(CONTAINER).build(), grace, spec.getVolumes()));
        }
        addVolume(
                volumes,
                new VolumeBuilder()
                        .withName(PodDefaults.WORKSPACE)
                        .withNewEmptyDir()
                        .endEmptyDir()
                        .build());
        addVolume(
                volumes,
                new VolumeBuilder()
                        .withName(PodDefaults.TMP)
                        .withNewEmptyDir()
                        .endEmptyDir()
                        .build());
        nats.volumes(pool).forEach(volume -> addVolume(volumes, volume));
        GitMounts.volumes(pool).forEach(volume -> addVolume(volumes, volume));
        final PodSpecBuilder completed = new PodSpecBuilder(defaults.complete(spec))
                .withContainers(containers)
                .withVolumes(volumes.stream().map(defaults::bounded).toList())
                .withTerminationGracePeriodSeconds(grace);
        if (spec.getAutomountServiceAccountToken() == null) {
            completed.withAutomountServiceAccountToken(false);
        }
        return new PodTemplateSpecBuilder(template)
                .editOrNewMetadata()
                .addToLabels(labels(pool))
                .endMetadata()
                .withSpec(completed.build())
                .build();
    }

    private static PodTemplateSpec given(JsonNode template) throws InvalidTemplateException {
        if (template == null || template.isNull()) {
            return new PodTemplateSpec();
        }
        try {
            return JSON.treeToValue(template, PodTemplateSpec.class);
        } catch (JsonProcessingException e) {
            throw new InvalidTemplateException("spec.template is not a PodTemplateSpec: " + e.getOriginalMessage());
        }
    }

    private static void addVolume(List<Volume> volumes, Volume ours) {
        if (volumes.stream().noneMatch(volume -> ours.getName().equals(volume.getName()))) {
            volumes.add(ours);
        }
    }
}
