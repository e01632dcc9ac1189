package dev.codeforge.operator.settings;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.codeforge.api.WorkerPoolSpec;
import io.fabric8.kubernetes.api.model.Affinity;
import io.fabric8.kubernetes.api.model.PodSecurityContext;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.ResourceRequirements;
import io.fabric8.kubernetes.api.model.SecurityContext;
import io.fabric8.kubernetes.api.model.Toleration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Defaults for workers whose pool's template does not set a value. Empty text means none.
 *
 * @param resources of container worker
 * @param imagePullSecrets names of Secrets in the pool's namespace
 * @param workspaceSizeLimit of the workspace volume
 * @param tmpSizeLimit of the volume at /tmp
 * @param egressAllow hosts that agents may reach if the pool has no list of its own
 * @param networkPolicy whether each pool has one
 * @param logFormat what workers write to standard output: Plain or JSON
 */
public record WorkerDefaults(
        ResourceRequirements resources,
        List<String> imagePullSecrets,
        String runtimeClassName,
        String priorityClassName,
        Map<String, String> nodeSelector,
        List<Toleration> tolerations,
        Affinity affinity,
        PodSecurityContext podSecurityContext,
        SecurityContext securityContext,
        String workspaceSizeLimit,
        String tmpSizeLimit,
        List<String> egressAllow,
        Boolean networkPolicy,
        String logFormat) {
    private static final String PLAIN = "Plain";
    public static final WorkerDefaults NONE =
            new WorkerDefaults(null, null, null, null, null, null, null, null, null, null, null, null, null, null);

    public WorkerDefaults(
            @Nullable ResourceRequirements resources,
            @Nullable List<String> imagePullSecrets,
            @Nullable String runtimeClassName,
            @Nullable String priorityClassName,
            @Nullable Map<String, String> nodeSelector,
            @Nullable List<Toleration> tolerations,
            @Nullable Affinity affinity,
            @Nullable PodSecurityContext podSecurityContext,
            @Nullable SecurityContext securityContext,
            @Nullable String workspaceSizeLimit,
            @Nullable String tmpSizeLimit,
            @Nullable List<String> egressAllow,
            @Nullable Boolean networkPolicy,
            @Nullable String logFormat) {
        this.resources = resources == null ? new ResourceRequirements() : resources;
        this.imagePullSecrets = imagePullSecrets == null ? List.of() : List.copyOf(imagePullSecrets);
        this.runtimeClassName = runtimeClassName == null ? "" : runtimeClassName;
        this.priorityClassName = priorityClassName == null ? "" : priorityClassName;
        this.nodeSelector = nodeSelector == null ? Map.of() : Map.copyOf(nodeSelector);
        this.tolerations = tolerations == null ? List.of() : List.copyOf(tolerations);
        this.affinity = affinity == null ? new Affinity() : affinity;
        this.podSecurityContext = podSecurityContext == null ? new PodSecurityContext() : podSecurityContext;
        this.securityContext = securityContext == null ? new SecurityContext() : securityContext;
        this.workspaceSizeLimit = size(workspaceSizeLimit);
        this.tmpSizeLimit = size(tmpSizeLimit);
        this.egressAllow = egressAllow == null ? List.of() : List.copyOf(egressAllow);
        this.networkPolicy = networkPolicy == null || networkPolicy;
        this.logFormat = logFormat == null ? PLAIN : logFormat;
    }

    /** @throws IllegalArgumentException with a sentence on what to set */
    static WorkerDefaults from(String json) {
        try {
            final WorkerDefaults defaults = new ObjectMapper().readValue(json, WorkerDefaults.class);
            if (defaults == null) {
                throw refused("null is none");
            }
            // Checked here, because the API server would otherwise refuse every pool, whose author cannot change these
            // values.
            Stream.of(
                            defaults.resources.getAdditionalProperties(),
                            defaults.affinity.getAdditionalProperties(),
                            defaults.podSecurityContext.getAdditionalProperties(),
                            defaults.securityContext.getAdditionalProperties())
                    .flatMap(unknown -> unknown.keySet().stream())
                    .findFirst()
                    .ifPresent(unknown -> {
                        throw refused("there is no field " + unknown);
                    });
            return defaults;
        } catch (JsonProcessingException e) {
            throw refused(e.getOriginalMessage());
        }
    }

    /** A pool's own list replaces the default, also when it is empty. */
    public List<String> egressAllow(WorkerPoolSpec.Egress egress) {
        return egress.allow() == null ? egressAllow : egress.allow();
    }

    private static String size(@Nullable String quantity) {
        if (quantity == null || quantity.isEmpty()) {
            return "";
        }
        if (Quantity.parse(quantity).getNumericalAmount().signum() <= 0) {
            throw new IllegalArgumentException("'" + quantity + "' is no size");
        }
        return quantity;
    }

    private static IllegalArgumentException refused(String why) {
        return new IllegalArgumentException("CODEFORGE_WORKER_DEFAULTS is not a JSON object of what workers get: " + why
                + "; set workerDefaults of the chart");
    }
}
