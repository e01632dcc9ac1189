package dev.codeforge.api;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.crdv2.generator.CRDPostProcessor;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinitionVersion;
import io.fabric8.kubernetes.api.model.apiextensions.v1.JSONSchemaProps;
import io.fabric8.kubernetes.api.model.apiextensions.v1.ValidationRule;
import io.fabric8.kubernetes.api.model.apiextensions.v1.ValidationRuleBuilder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** What the generator's annotations cannot say of our two CRDs. */
final class CrdCompletion implements CRDPostProcessor {
    /** The generator sorts columns by path; people read them in this order. */
    private static final List<String> COLUMNS = List.of(
            "Pool", "Phase", "Backend", "Replicas", "Max", "Waiting", "Running", "Ready", "Reason", "Attempts", "Age");

    @Override
    public HasMetadata process(HasMetadata resource, String crdSpecVersion) {
        final CustomResourceDefinition crd = (CustomResourceDefinition) resource;
        crd.getSpec().getNames().setCategories(List.of("codeforge"));
        for (final CustomResourceDefinitionVersion version : crd.getSpec().getVersions()) {
            version.getAdditionalPrinterColumns()
                    .sort(Comparator.comparing(column -> COLUMNS.indexOf(column.getName())));
            final JSONSchemaProps root = version.getSchema().getOpenAPIV3Schema();
            root.setRequired(List.of("spec"));
            final JSONSchemaProps status = root.getProperties().get("status");
            // A new object must not look settled to kstatus before the operator has seen it.
            final ObjectNode unobserved = JsonNodeFactory.instance.objectNode();
            unobserved.put("observedGeneration", -1);
            status.setDefault(unobserved);
            final JSONSchemaProps conditions = status.getProperties().get("conditions");
            conditions.setXKubernetesListType("map");
            conditions.setXKubernetesListMapKeys(List.of("type"));
            conditions.getItems().getSchema().setRequired(List.of("type", "status"));
            bound(root.getProperties().get("spec"));
            if ("AgentTask".equals(crd.getSpec().getNames().getKind())) {
                keepImmutable(root.getProperties().get("spec"));
                rule(
                        root,
                        "!has(self.spec.ttlSecondsAfterFinished) || has(self.spec.idempotencyKey) || has(self.metadata.generateName)",
                        "ttlSecondsAfterFinished needs idempotencyKey or generateName: a GitOps tool would create the deleted task anew and pay again");
            }
            if ("WorkerPool".equals(crd.getSpec().getNames().getKind())) {
                rule(
                        root,
                        "self.metadata.name.size() <= 50 && !self.metadata.name.contains('.')",
                        "a pool's name is at most 50 characters without dots: it becomes part of stream and pod names");
            }
        }
        return crd;
    }

    /** One rule on the whole spec: one for each field would let an optional field be added or removed later. */
    private static void keepImmutable(JSONSchemaProps spec) {
        final String fields = spec.getProperties().keySet().stream()
                .filter(field -> !AgentTaskSpec.MUTABLE.contains(field))
                .sorted()
                .map(field -> spec.getRequired().contains(field)
                        ? "self." + field + " == oldSelf." + field
                        : "has(self." + field + ") == has(oldSelf." + field + ") && (!has(self." + field + ") || self."
                                + field + " == oldSelf." + field + ")")
                .collect(Collectors.joining(" && "));
        rule(
                spec,
                fields,
                "a task's spec cannot be changed: create a new task (suspend, cancel, rerun and ttlSecondsAfterFinished may be)");
    }

    private static void rule(JSONSchemaProps schema, String rule, String message) {
        final List<ValidationRule> rules = new ArrayList<>(schema.getXKubernetesValidations());
        rules.add(
                new ValidationRuleBuilder().withRule(rule).withMessage(message).build());
        schema.setXKubernetesValidations(rules);
    }

    /** Rules over values of unknown size are refused as too costly: bound those of maps and lists. */
    private static void bound(JSONSchemaProps schema) {
        for (final Map.Entry<String, JSONSchemaProps> property :
                schema.getProperties().entrySet()) {
            final JSONSchemaProps value = property.getValue();
            if (value.getAdditionalProperties() != null
                    && value.getAdditionalProperties().getSchema() != null) {
                value.getAdditionalProperties().getSchema().setMaxLength(4096L);
                value.setMaxProperties(64L);
            }
            if (value.getItems() != null
                    && "string".equals(value.getItems().getSchema().getType())) {
                value.getItems().getSchema().setMaxLength(253L);
            }
            bound(value);
        }
    }
}
