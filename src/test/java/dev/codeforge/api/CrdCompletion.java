package dev.codeforge.api;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.crdv2.generator.CRDPostProcessor;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinitionVersion;
import io.fabric8.kubernetes.api.model.apiextensions.v1.JSONSchemaProps;
import io.fabric8.kubernetes.api.model.apiextensions.v1.ValidationRuleBuilder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

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
            if ("WorkerPool".equals(crd.getSpec().getNames().getKind())) {
                final var rules = new ArrayList<>(root.getXKubernetesValidations());
                rules.add(new ValidationRuleBuilder()
                        .withRule("self.metadata.name.size() <= 50 && !self.metadata.name.contains('.')")
                        .withMessage(
                                "a pool's name is at most 50 characters without dots: it becomes part of stream and pod names")
                        .build());
                root.setXKubernetesValidations(rules);
            }
        }
        return crd;
    }

    /** Rules over values of unknown size are refused as too costly: bound the values of maps. */
    private static void bound(JSONSchemaProps schema) {
        for (final Map.Entry<String, JSONSchemaProps> property :
                schema.getProperties().entrySet()) {
            final JSONSchemaProps value = property.getValue();
            if (value.getAdditionalProperties() != null
                    && value.getAdditionalProperties().getSchema() != null) {
                value.getAdditionalProperties().getSchema().setMaxLength(4096L);
                value.setMaxProperties(64L);
            }
            bound(value);
        }
    }
}
