package dev.codeforge.api;

import io.fabric8.kubernetes.api.model.apiextensions.v1.JSONSchemaProps;
import io.fabric8.kubernetes.api.model.apiextensions.v1.JSONSchemaPropsBuilder;
import io.fabric8.kubernetes.api.model.apiextensions.v1.JSONSchemaPropsOrArray;
import io.fabric8.kubernetes.api.model.apiextensions.v1.JSONSchemaPropsOrBool;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The part of a PodTemplateSpec that pools are about, typed: what appliers merge has the keys of the Pod itself, so that an overlay
 * changes one variable and not all. Everything else of a PodTemplateSpec is kept as it is, and checked when it becomes a Deployment.
 */
final class TemplateSchema {
    private TemplateSchema() {}

    /** With the description of this one. */
    static JSONSchemaProps ofTemplate(JSONSchemaProps described) {
        return open(
                described.getDescription(),
                Map.of(
                        "metadata",
                        open(
                                "Labels and annotations of the workers' pods.",
                                Map.of(
                                        "labels", strings("Labels beside the operator's own."),
                                        "annotations", strings("Annotations."))),
                        "spec",
                        podSpec()));
    }

    private static JSONSchemaProps podSpec() {
        final Map<String, JSONSchemaProps> fields = new LinkedHashMap<>();
        fields.put(
                "containers",
                byKey("name", "Containers; the one named worker is completed by the operator.", container()));
        fields.put("initContainers", byKey("name", "Containers that run before the others.", container()));
        fields.put(
                "volumes", byKey("name", "Volumes, each of a kind that a Pod may have.", named("Name of the volume.")));
        fields.put("serviceAccountName", string("ServiceAccount of the pods. Its token is not mounted by default."));
        fields.put("imagePullSecrets", byKey("name", "Secrets for the registry.", named("Name of the Secret.")));
        fields.put("nodeSelector", strings("Labels that a node must have."));
        fields.put("tolerations", list("Taints that the pods tolerate.", open("A toleration of a Pod.", Map.of())));
        fields.put("affinity", open("Affinity as of a Pod.", Map.of()));
        fields.put(
                "topologySpreadConstraints",
                list("How the pods are spread.", open("A constraint of a Pod.", Map.of())));
        fields.put("priorityClassName", string("PriorityClass of the pods."));
        fields.put("runtimeClassName", string("RuntimeClass of the pods, such as one of gVisor."));
        fields.put("securityContext", open("Security context as of a Pod.", Map.of()));
        fields.put(
                "terminationGracePeriodSeconds",
                new JSONSchemaPropsBuilder()
                        .withType("integer")
                        .withFormat("int64")
                        .withMinimum(0.0)
                        .withDescription(
                                "Seconds that a worker has to finish its runs when its pod is ended. Default: taskDefaults.runTimeoutSeconds and 60.")
                        .build());
        return open("Spec of the workers' pods.", fields);
    }

    private static JSONSchemaProps container() {
        final Map<String, JSONSchemaProps> fields = new LinkedHashMap<>();
        fields.put("name", string("Name of the container: worker for the one that runs tasks."));
        fields.put("image", string("Image. Default for worker: the operator's image for the backend."));
        fields.put("imagePullPolicy", string("Always, IfNotPresent or Never."));
        fields.put("command", list("Entry point instead of the image's.", string("An argument.")));
        fields.put("args", list("Arguments of the entry point.", string("An argument.")));
        fields.put(
                "env",
                byKey(
                        "name",
                        "Environment variables.",
                        open(
                                "A variable.",
                                Map.of(
                                        "name", string("Name of the variable."),
                                        "value", string("Its value."),
                                        "valueFrom", open("Where the value comes from, as of a Pod.", Map.of())))));
        fields.put(
                "resources",
                open(
                        "Processor, memory and disk of the container.",
                        Map.of(
                                "requests", quantities("What the scheduler reserves for the container."),
                                "limits", quantities("The most that the container may use."))));
        fields.put(
                "volumeMounts",
                byKey(
                        "mountPath",
                        "Volumes that the container sees.",
                        open(
                                "A mount.",
                                Map.of(
                                        "name", string("Name of the volume."),
                                        "mountPath", string("Path in the container."),
                                        "subPath", string("Path within the volume."),
                                        "readOnly", flag("True mounts the volume read-only.")))));
        fields.put("securityContext", open("Security context as of a container.", Map.of()));
        return open("A container of a Pod.", fields);
    }

    private static JSONSchemaProps named(String description) {
        return open("An entry as of a Pod.", Map.of("name", string(description)));
    }

    private static JSONSchemaProps open(String description, Map<String, JSONSchemaProps> fields) {
        return new JSONSchemaPropsBuilder()
                .withType("object")
                .withDescription(description)
                // Sorted: the CRD is the same in each run.
                .withProperties(new TreeMap<>(fields))
                .withXKubernetesPreserveUnknownFields(true)
                .build();
    }

    private static JSONSchemaProps byKey(String key, String description, JSONSchemaProps entry) {
        final JSONSchemaProps list = list(description, entry);
        entry.setRequired(List.of(key));
        list.setXKubernetesListType("map");
        list.setXKubernetesListMapKeys(List.of(key));
        return list;
    }

    private static JSONSchemaProps list(String description, JSONSchemaProps entry) {
        final JSONSchemaProps list = new JSONSchemaPropsBuilder()
                .withType("array")
                .withDescription(description)
                .build();
        list.setItems(new JSONSchemaPropsOrArray(List.of(), entry));
        return list;
    }

    private static JSONSchemaProps strings(String description) {
        return map(description, new JSONSchemaPropsBuilder().withType("string").build());
    }

    private static JSONSchemaProps quantities(String description) {
        return map(
                description,
                new JSONSchemaPropsBuilder().withXKubernetesIntOrString(true).build());
    }

    private static JSONSchemaProps map(String description, JSONSchemaProps value) {
        final JSONSchemaProps map = new JSONSchemaPropsBuilder()
                .withType("object")
                .withDescription(description)
                .build();
        map.setAdditionalProperties(new JSONSchemaPropsOrBool(null, value));
        return map;
    }

    private static JSONSchemaProps string(String description) {
        return new JSONSchemaPropsBuilder()
                .withType("string")
                .withDescription(description)
                .build();
    }

    private static JSONSchemaProps flag(String description) {
        return new JSONSchemaPropsBuilder()
                .withType("boolean")
                .withDescription(description)
                .build();
    }
}
