package dev.codeforge.operator.pool.workers;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.operator.settings.WorkerDefaults;
import io.fabric8.kubernetes.api.model.Affinity;
import io.fabric8.kubernetes.api.model.Capabilities;
import io.fabric8.kubernetes.api.model.LocalObjectReference;
import io.fabric8.kubernetes.api.model.PodSecurityContext;
import io.fabric8.kubernetes.api.model.PodSecurityContextBuilder;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.PodSpecBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.ResourceRequirements;
import io.fabric8.kubernetes.api.model.ResourceRequirementsBuilder;
import io.fabric8.kubernetes.api.model.SecurityContext;
import io.fabric8.kubernetes.api.model.SecurityContextBuilder;
import io.fabric8.kubernetes.api.model.Toleration;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeBuilder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Completes a worker's pod field by field. The template wins over the platform's defaults, and these win over values
 * that pass Pod Security's restricted level.
 */
final class PodDefaults {
    static final String WORKSPACE = "workspace";
    static final String TMP = "tmp";

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final long USER = 10001L;
    private static final PodSecurityContext RESTRICTED_POD = new PodSecurityContextBuilder()
            .withRunAsNonRoot(true)
            .withRunAsUser(USER)
            .withRunAsGroup(USER)
            .withFsGroup(USER)
            .withNewSeccompProfile()
            .withType("RuntimeDefault")
            .endSeccompProfile()
            .build();
    private static final SecurityContext RESTRICTED = new SecurityContextBuilder()
            .withAllowPrivilegeEscalation(false)
            .withReadOnlyRootFilesystem(true)
            .withNewCapabilities()
            .withDrop("ALL")
            .endCapabilities()
            .build();

    private final WorkerDefaults defaults;

    PodDefaults(WorkerDefaults defaults) {
        this.defaults = defaults;
    }

    PodSpec complete(PodSpec given) {
        final PodSpecBuilder pod = new PodSpecBuilder(given)
                .withSecurityContext(over(
                        given.getSecurityContext(),
                        over(defaults.podSecurityContext(), RESTRICTED_POD, PodSecurityContext.class),
                        PodSecurityContext.class))
                .withNodeSelector(over(given.getNodeSelector(), defaults.nodeSelector()))
                .withTolerations(tolerations(given.getTolerations()))
                .withImagePullSecrets(pullSecrets(given.getImagePullSecrets()));
        final Affinity affinity = over(given.getAffinity(), defaults.affinity(), Affinity.class);
        if (!new Affinity().equals(affinity)) {
            pod.withAffinity(affinity);
        }
        if (given.getRuntimeClassName() == null && !defaults.runtimeClassName().isEmpty()) {
            pod.withRuntimeClassName(defaults.runtimeClassName());
        }
        if (given.getPriorityClassName() == null
                && !defaults.priorityClassName().isEmpty()) {
            pod.withPriorityClassName(defaults.priorityClassName());
        }
        return pod.build();
    }

    String logFormat() {
        return defaults.logFormat();
    }

    /** Hosts that agents of a pool may reach. */
    List<String> egressAllow(WorkerPool pool) {
        return defaults.egressAllow(pool.getSpec().isolation().egress());
    }

    /** The security context of container worker. */
    SecurityContext securityContext(@Nullable SecurityContext given) {
        final SecurityContext below = over(defaults.securityContext(), RESTRICTED);
        return given == null ? below : over(given, below);
    }

    private static SecurityContext over(SecurityContext given, SecurityContext below) {
        final SecurityContext all = over(given, below, SecurityContext.class);
        final Capabilities capabilities = over(given.getCapabilities(), below.getCapabilities(), Capabilities.class);
        return new SecurityContextBuilder(all).withCapabilities(capabilities).build();
    }

    /**
     * The resources of container worker. A resource that the template names gets no default: Kubernetes would refuse a
     * pod whose default request is above the template's limit.
     */
    @Nullable
    ResourceRequirements resources(@Nullable ResourceRequirements given) {
        final ResourceRequirements said = given == null ? new ResourceRequirements() : given;
        final ResourceRequirements all = new ResourceRequirementsBuilder(said)
                .withRequests(
                        unsaid(said, said.getRequests(), defaults.resources().getRequests()))
                .withLimits(unsaid(said, said.getLimits(), defaults.resources().getLimits()))
                .build();
        return given == null && all.equals(new ResourceRequirements()) ? null : all;
    }

    private static Map<String, Quantity> unsaid(
            ResourceRequirements said, @Nullable Map<String, Quantity> given, @Nullable Map<String, Quantity> below) {
        final Map<String, Quantity> all = new HashMap<>(entries(given));
        entries(below).forEach((name, quantity) -> {
            if (!entries(said.getRequests()).containsKey(name)
                    && !entries(said.getLimits()).containsKey(name)) {
                all.put(name, quantity);
            }
        });
        return all;
    }

    /** Adds the size limit to a volume on the node's disk that a run may fill, unless the volume has one. */
    Volume bounded(Volume volume) {
        final String limit = WORKSPACE.equals(volume.getName())
                ? defaults.workspaceSizeLimit()
                : TMP.equals(volume.getName()) ? defaults.tmpSizeLimit() : "";
        if (limit.isEmpty()
                || volume.getEmptyDir() == null
                || volume.getEmptyDir().getSizeLimit() != null) {
            return volume;
        }
        return new VolumeBuilder(volume)
                .editEmptyDir()
                .withSizeLimit(Quantity.parse(limit))
                .endEmptyDir()
                .build();
    }

    private List<Toleration> tolerations(List<Toleration> given) {
        final List<Toleration> all = new ArrayList<>(given);
        defaults.tolerations().stream().filter(ours -> !given.contains(ours)).forEach(all::add);
        return all;
    }

    private List<LocalObjectReference> pullSecrets(List<LocalObjectReference> given) {
        final List<LocalObjectReference> all = new ArrayList<>(given);
        defaults.imagePullSecrets().stream()
                .filter(ours ->
                        given.stream().filter(Objects::nonNull).noneMatch(theirs -> ours.equals(theirs.getName())))
                .map(LocalObjectReference::new)
                .forEach(all::add);
        return all;
    }

    private static Map<String, String> over(@Nullable Map<String, String> given, Map<String, String> below) {
        final Map<String, String> all = new HashMap<>(below);
        all.putAll(entries(given));
        return all;
    }

    /** The fields of {@code given}, and those of {@code below} that it lacks. A field is taken as a whole. */
    private static <T> T over(@Nullable T given, T below, Class<T> type) {
        final ObjectNode all = JSON.valueToTree(below);
        if (given != null) {
            all.setAll((ObjectNode) JSON.valueToTree(given));
        }
        return JSON.convertValue(all, type);
    }

    private static <T> Map<String, T> entries(@Nullable Map<String, T> map) {
        return map == null ? Map.of() : map;
    }
}
