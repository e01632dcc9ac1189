package dev.codeforge.operator.pool.workers;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.operator.tracing.TelemetrySettings;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerBuilder;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.VolumeMountBuilder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** Completes container worker: image, environment, probes, mounts, rights, resources. The template's values win. */
final class WorkerContainer {
    /** Probes and metrics; a template may have ports of its own. */
    private static final String METRICS_PORT = "worker-http";

    /** Time until a worker's first process handles signals, on a busy node. */
    private static final int START_SECONDS = 2;

    private final Map<String, String> images;
    private final String imagePullPolicy;
    private final TelemetrySettings telemetry;
    private final PodDefaults defaults;
    private final NatsMounts nats;

    WorkerContainer(
            Map<String, String> images,
            String imagePullPolicy,
            TelemetrySettings telemetry,
            PodDefaults defaults,
            NatsMounts nats) {
        this.images = images;
        this.imagePullPolicy = imagePullPolicy;
        this.telemetry = telemetry;
        this.defaults = defaults;
        this.nats = nats;
    }

    /** @param volumes of the template */
    Container complete(WorkerPool pool, String subject, Container given, long grace, List<Volume> volumes)
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
        container.withSecurityContext(defaults.securityContext(given.getSecurityContext()));
        container.withResources(defaults.resources(given.getResources()));
        if (given.getPorts().stream()
                .noneMatch(port -> Integer.valueOf(WorkerEnvironment.PORT).equals(port.getContainerPort()))) {
            container
                    .addNewPort()
                    .withName(METRICS_PORT)
                    .withContainerPort(WorkerEnvironment.PORT)
                    .withProtocol("TCP")
                    .endPort();
        }
        if (given.getReadinessProbe() == null) {
            container
                    .withNewReadinessProbe()
                    .withNewHttpGet()
                    .withPath("/readyz")
                    .withNewPort(WorkerEnvironment.PORT)
                    .endHttpGet()
                    .withPeriodSeconds(2)
                    .endReadinessProbe();
        }
        if (given.getLivenessProbe() == null) {
            container
                    .withNewLivenessProbe()
                    .withNewHttpGet()
                    .withPath("/livez")
                    .withNewPort(WorkerEnvironment.PORT)
                    .endHttpGet()
                    .withInitialDelaySeconds(10)
                    .withPeriodSeconds(10)
                    .withTimeoutSeconds(5)
                    .withFailureThreshold(6)
                    .endLivenessProbe();
        }
        if (given.getLifecycle() == null || given.getLifecycle().getPreStop() == null) {
            // The kernel drops a SIGTERM until the first process of a container has set its handlers.
            container
                    .editOrNewLifecycle()
                    .withNewPreStop()
                    .withNewSleep((long) START_SECONDS)
                    .endPreStop()
                    .endLifecycle();
        }
        final List<EnvVar> environment = new ArrayList<>(nats.environment(pool));
        environment.addAll(
                WorkerEnvironment.of(pool, subject, grace, temporary(given, volumes), defaults.egressAllow(pool)));
        environment.add(WorkerEnvironment.variable("CODEFORGE_LOG_FORMAT", defaults.logFormat()));
        // A pool with its own collector must not send it the key for the operator's collector.
        if (given.getEnv().stream().noneMatch(theirs -> TelemetrySettings.namesCollector(theirs.getName()))) {
            environment.addAll(WorkerEnvironment.of(pool, telemetry));
        }
        // The user's variables come last: of two with one name the last one counts.
        environment.removeIf(ours ->
                given.getEnv().stream().anyMatch(theirs -> NatsMounts.isReplaced(ours.getName(), theirs.getName())));
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
                new VolumeMountBuilder()
                        .withName(PodDefaults.TMP)
                        .withMountPath("/tmp")
                        .build());
        nats.mounts(pool).forEach(mount -> addMount(mounts, mount));
        GitMounts.mounts(pool).forEach(mount -> addMount(mounts, mount));
        return container.withEnv(environment).withVolumeMounts(mounts).build();
    }

    /** Leaves out volumes of the template: they may outlive the worker, or another container may use them. */
    private static List<String> temporary(Container given, List<Volume> volumes) {
        final boolean named = volumes.stream().anyMatch(volume -> PodDefaults.TMP.equals(volume.getName()));
        return Stream.of("/tmp", "/dev/shm")
                .filter(path -> !(named && path.equals("/tmp")))
                .filter(path -> given.getVolumeMounts().stream().noneMatch(mount -> path.equals(mount.getMountPath())))
                .toList();
    }

    private static void addMount(List<VolumeMount> mounts, VolumeMount ours) {
        if (mounts.stream().noneMatch(mount -> ours.getMountPath().equals(mount.getMountPath()))) {
            mounts.add(ours);
        }
    }
}
