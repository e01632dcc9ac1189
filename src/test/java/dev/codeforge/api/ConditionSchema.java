package dev.codeforge.api;

import com.fasterxml.jackson.databind.node.TextNode;
import io.fabric8.kubernetes.api.model.apiextensions.v1.JSONSchemaProps;
import io.fabric8.kubernetes.api.model.apiextensions.v1.JSONSchemaPropsBuilder;
import io.fabric8.kubernetes.api.model.apiextensions.v1.JSONSchemaPropsOrArray;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The schema of metav1.Condition, which the client's class does not have. Limits and patterns are those of Kubernetes. */
final class ConditionSchema {
    private static final String NAME = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
    private static final String DOMAIN = "([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?";

    private ConditionSchema() {}

    /** A list of conditions, with the description of this one. */
    static JSONSchemaProps ofConditions(JSONSchemaProps described) {
        final JSONSchemaProps list = new JSONSchemaPropsBuilder()
                .withType("array")
                .withDescription(described.getDescription())
                .withXKubernetesListType("map")
                .withXKubernetesListMapKeys("type")
                .build();
        list.setItems(new JSONSchemaPropsOrArray(List.of(), condition()));
        return list;
    }

    private static JSONSchemaProps condition() {
        final Map<String, JSONSchemaProps> fields = new LinkedHashMap<>();
        fields.put(
                "lastTransitionTime",
                string("When the status last changed from one value to another.")
                        .withFormat("date-time")
                        .build());
        fields.put(
                "message",
                string("A sentence for people. May be empty.")
                        .withMaxLength(32768L)
                        .build());
        fields.put(
                "observedGeneration",
                new JSONSchemaPropsBuilder()
                        .withType("integer")
                        .withFormat("int64")
                        .withMinimum(0.0)
                        .withDescription("Generation of the spec that the condition reports on.")
                        .build());
        fields.put(
                "reason",
                string("One of the documented reasons, or the type of an agent's error.")
                        .withMinLength(1L)
                        .withMaxLength(1024L)
                        .withPattern("^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$")
                        .build());
        fields.put(
                "status",
                string("True, False or Unknown.")
                        .withEnum(new TextNode("True"), new TextNode("False"), new TextNode("Unknown"))
                        .build());
        fields.put(
                "type",
                string("Name of the condition, in CamelCase.")
                        .withMaxLength(316L)
                        .withPattern("^" + DOMAIN + "(" + NAME + ")$")
                        .build());
        return new JSONSchemaPropsBuilder()
                .withType("object")
                .withDescription("One aspect of the state of the resource.")
                .withProperties(fields)
                .withRequired("lastTransitionTime", "message", "reason", "status", "type")
                .build();
    }

    private static JSONSchemaPropsBuilder string(String description) {
        return new JSONSchemaPropsBuilder().withType("string").withDescription(description);
    }
}
