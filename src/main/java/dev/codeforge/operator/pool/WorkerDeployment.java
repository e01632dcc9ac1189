package dev.codeforge.operator.pool;

import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.Nulls;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.codeforge.api.Names;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.api.WorkerPoolSpec;
import dev.codeforge.wire.Subjects;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerBuilder;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.EnvVarBuilder;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.PodSpecBuilder;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.PodTemplateSpecBuilder;
import io.fabric8.kubernetes.api.model.SecurityContextBuilder;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeBuilder;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.VolumeMountBuilder;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentBuilder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The Deployment of a pool: the user's pod template, completed. What the template says wins. */
final class WorkerDeployment {
    static final String CONTAINER = "worker";
    /** An empty {@code env:} or list item in a user's YAML is null: as good as absent. */
    private static final ObjectMapper JSON =
            new ObjectMapper().setDefaultSetterInfo(JsonSetter.Value.forValueNulls(Nulls.SKIP, Nulls.SKIP));

    private static final long USER = 10001L;
    private static final int PORT = 8080;
    private static final int AFTER_RUN_SECONDS = 60;
    private static final int STOP_SECONDS = 30;

    private final Map<String, String> images;
    private final String imagePullPolicy;

    WorkerDeployment(Map<String, String> images, String imagePullPolicy) {
        this.images = images;
        this.imagePullPolicy = imagePullPolicy;
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

    static String selector(WorkerPool pool) {
        return Names.POOL_LABEL + "=" + pool.getMetadata().getName();
    }

    /** Without replicas: who sets them is decided elsewhere. */
    Deployment of(WorkerPool pool, String subject) throws InvalidTemplateException {
        return new DeploymentBuilder()
                .withNewMetadata()
                .withName(pool.workersName())
                .withNamespace(pool.getMetadata().getNamespace())
                .withLabels(labels(pool))
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
        final PodTemplateSpec given = given(pool.getSpec().template());
        final PodSpec spec = given.getSpec() == null ? new PodSpec() : given.getSpec();
        final long grace = spec.getTerminationGracePeriodSeconds() == null
                ? pool.getSpec().taskDefaults().runTimeoutSeconds() + AFTER_RUN_SECONDS
                : spec.getTerminationGracePeriodSeconds();
        final List<Container> containers = new ArrayList<>();
        boolean found = false;
        for (final Container container : spec.getContainers()) {
            final boolean worker = CONTAINER.equals(container.getName());
            found |= worker;
            containers.add(worker ? complete(pool, subject, container, grace) : container);
        }
        if (!found) {
            containers.addFirst(complete(
                    pool, subject, new ContainerBuilder().withName(CONTAINER).build(), grace));
        }
        final List<Volume> volumes = new ArrayList<>(spec.getVolumes());
        addVolume(
                volumes,
                new VolumeBuilder()
                        .withName("workspace")
                        .withNewEmptyDir()
                        .endEmptyDir()
                        .build());
        addVolume(
                volumes,
                new VolumeBuilder()
                        .withName("tmp")
                        .withNewEmptyDir()
                        .endEmptyDir()
                        .build());
        final List<WorkerPoolSpec.Credential> credentials = credentials(pool);
        for (int i = 0; i < credentials.size(); i++) {
            addVolume(
                    volumes,
                    new VolumeBuilder()
                            .withName("git-" + i)
                            .withNewSecret()
                            .withSecretName(credentials.get(i).secretRef().name())
                            .withDefaultMode(0440)
                            .endSecret()
                            .build());
        }
        final PodSpecBuilder completed = new PodSpecBuilder(spec)
                .withContainers(containers)
                .withVolumes(volumes)
                .withTerminationGracePeriodSeconds(grace);
        if (spec.getAutomountServiceAccountToken() == null) {
            completed.withAutomountServiceAccountToken(false);
        }
        if (spec.getSecurityContext() == null) {
            completed
                    .withNewSecurityContext()
                    .withRunAsNonRoot(true)
                    .withRunAsUser(USER)
                    .withRunAsGroup(USER)
                    .withFsGroup(USER)
                    .withNewSeccompProfile()
                    .withType("RuntimeDefault")
                    .endSeccompProfile()
                    .endSecurityContext();
        }
        return new PodTemplateSpecBuilder(given)
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

    private Container complete(WorkerPool pool, String subject, Container given, long grace)
            throws InvalidTemplateException {
        final String backend = pool.getSpec().backend();
        final String image = given.getImage() != null ? given.getImage() : images.get(backend);
        if (image == null) {
            throw new InvalidTemplateException("no image is known for backend " + backend
                    + ": set it on container worker in spec.template, or in the operator's workerImages (known: "
                    + String.join(", ", new TreeMap<>(images).keySet()) + ")");
        }
        final ContainerBuilder container = new ContainerBuilder(given).withImage(image);
        if (given.getImagePullPolicy() == null) {
            container.withImagePullPolicy(imagePullPolicy);
        }
        if (given.getSecurityContext() == null) {
            container.withSecurityContext(new SecurityContextBuilder()
                    .withAllowPrivilegeEscalation(false)
                    .withReadOnlyRootFilesystem(true)
                    .withNewCapabilities()
                    .withDrop("ALL")
                    .endCapabilities()
                    .build());
        }
        if (given.getReadinessProbe() == null) {
            container
                    .withNewReadinessProbe()
                    .withNewHttpGet()
                    .withPath("/readyz")
                    .withNewPort(PORT)
                    .endHttpGet()
                    .withPeriodSeconds(2)
                    .endReadinessProbe();
        }
        if (given.getLivenessProbe() == null) {
            container
                    .withNewLivenessProbe()
                    .withNewHttpGet()
                    .withPath("/livez")
                    .withNewPort(PORT)
                    .endHttpGet()
                    .withInitialDelaySeconds(10)
                    .withPeriodSeconds(10)
                    .withTimeoutSeconds(5)
                    .withFailureThreshold(6)
                    .endLivenessProbe();
        }
        final List<EnvVar> environment = environment(pool, subject, grace);
        // The user's variables come last: of two with one name the last one counts.
        environment.removeIf(ours ->
                given.getEnv().stream().anyMatch(theirs -> ours.getName().equals(theirs.getName())));
        environment.addAll(given.getEnv());
        final List<VolumeMount> mounts = new ArrayList<>(given.getVolumeMounts());
        addMount(
                mounts,
                new VolumeMountBuilder()
                        .withName("workspace")
                        .withMountPath("/workspace")
                        .build());
        addMount(
                mounts,
                new VolumeMountBuilder().withName("tmp").withMountPath("/tmp").build());
        for (int i = 0; i < credentials(pool).size(); i++) {
            addMount(
                    mounts,
                    new VolumeMountBuilder()
                            .withName("git-" + i)
                            .withMountPath("/etc/codeforge/git/" + i)
                            .withReadOnly(true)
                            .build());
        }
        return container.withEnv(environment).withVolumeMounts(mounts).build();
    }

    private static List<EnvVar> environment(WorkerPool pool, String subject, long grace) {
        final WorkerPoolSpec spec = pool.getSpec();
        final String namespace = pool.getMetadata().getNamespace();
        final String name = pool.getMetadata().getName();
        final List<EnvVar> environment = new ArrayList<>();
        environment.add(secret("NATS_URL", pool, "url"));
        environment.add(secret("NATS_USER", pool, "username"));
        environment.add(secret("NATS_PASSWORD", pool, "password"));
        environment.add(variable("CODEFORGE_NAMESPACE", namespace));
        environment.add(variable("CODEFORGE_POOL", name));
        environment.add(variable("CODEFORGE_BACKEND", spec.backend()));
        environment.add(variable("CODEFORGE_STREAM", Subjects.poolStream(namespace, name)));
        environment.add(variable("CODEFORGE_CONSUMER", Subjects.WORKERS_DURABLE));
        environment.add(variable("CODEFORGE_SUBJECT", subject));
        environment.add(variable("CODEFORGE_CONCURRENCY", Integer.toString(spec.tasksPerWorker())));
        environment.add(variable("CODEFORGE_ACK_WAIT_SECONDS", Integer.toString(spec.heartbeatTimeoutSeconds())));
        environment.add(variable("CODEFORGE_GRACE_SECONDS", Long.toString(Math.max(0, grace - STOP_SECONDS))));
        environment.add(variable("CODEFORGE_WORKSPACE", "/workspace"));
        environment.add(variable("CODEFORGE_HTTP_PORT", Integer.toString(PORT)));
        environment.add(variable("CODEFORGE_GIT_CREDENTIALS", gitCredentials(pool)));
        environment.add(new EnvVarBuilder()
                .withName("CODEFORGE_POD_NAME")
                .withNewValueFrom()
                .withNewFieldRef()
                .withFieldPath("metadata.name")
                .endFieldRef()
                .endValueFrom()
                .build());
        return environment;
    }

    private static String gitCredentials(WorkerPool pool) {
        final List<WorkerPoolSpec.Credential> credentials = credentials(pool);
        final List<Map<String, String>> mounted = new ArrayList<>();
        for (int i = 0; i < credentials.size(); i++) {
            mounted.add(new TreeMap<>(Map.of("url", credentials.get(i).url(), "path", "/etc/codeforge/git/" + i)));
        }
        try {
            return JSON.writeValueAsString(mounted);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("strings are always JSON", e);
        }
    }

    private static List<WorkerPoolSpec.Credential> credentials(WorkerPool pool) {
        return pool.getSpec().git() == null ? List.of() : pool.getSpec().git().credentials();
    }

    private static EnvVar variable(String name, String value) {
        return new EnvVarBuilder().withName(name).withValue(value).build();
    }

    private static EnvVar secret(String name, WorkerPool pool, String key) {
        return new EnvVarBuilder()
                .withName(name)
                .withNewValueFrom()
                .withNewSecretKeyRef()
                .withName(pool.workersName())
                .withKey(key)
                .endSecretKeyRef()
                .endValueFrom()
                .build();
    }

    private static void addVolume(List<Volume> volumes, Volume ours) {
        if (volumes.stream().noneMatch(volume -> ours.getName().equals(volume.getName()))) {
            volumes.add(ours);
        }
    }

    private static void addMount(List<VolumeMount> mounts, VolumeMount ours) {
        if (mounts.stream().noneMatch(mount -> ours.getMountPath().equals(mount.getMountPath()))) {
            mounts.add(ours);
        }
    }
}
