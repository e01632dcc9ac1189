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
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What the generator's annotations cannot say of our two CRDs. */
final class CrdCompletion implements CRDPostProcessor {
    private static final String SET = "";

    /** The generator sorts columns by path; people read them in this order. */
    private static final List<String> COLUMNS = List.of(
            "Pool",
            "Phase",
            "Backend",
            "Replicas",
            "Max",
            "Waiting",
            "Running",
            "Ready",
            "Reason",
            "Attempts",
            "Age",
            "Pod",
            "Session",
            "Cost",
            "Branch",
            "Commit",
            "Dead Letters",
            "Scaling",
            "Message");

    /** Lists that are merged entry by entry: by a field of their entries, or as a set. All others are replaced whole. */
    private static final Map<String, Map<String, String>> LISTS = Map.of(
            "AgentTask",
            Map.of(
                    "spec.retry.nonRetryable", SET,
                    "spec.retry.retryable", SET,
                    "status.result.artifacts", "name"),
            "WorkerPool",
            Map.of(
                    "spec.git.credentials", "url",
                    "spec.isolation.egress.allow", SET,
                    "spec.taskDefaults.retry.nonRetryable", SET,
                    "spec.taskDefaults.retry.retryable", SET));

    /** An enum of a status could not get a further value: an older operator or CRD would refuse it. */
    private static final Map<String, List<String>> PLAIN_STRINGS =
            Map.of("AgentTask", List.of("status.phase", "status.history.[].outcome"));

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
            status.getProperties()
                    .put(
                            "conditions",
                            ConditionSchema.ofConditions(status.getProperties().get("conditions")));
            final String kind = crd.getSpec().getNames().getKind();
            describe(root, kind);
            formats(
                    root.getProperties().get("spec"),
                    "AgentTask".equals(kind) ? AgentTaskSpec.class : WorkerPoolSpec.class);
            formats(status, "AgentTask".equals(kind) ? AgentTaskStatus.class : WorkerPoolStatus.class);
            LISTS.getOrDefault(kind, Map.of()).forEach((path, key) -> list(at(root, path), key));
            PLAIN_STRINGS.getOrDefault(kind, List.of()).forEach(path -> at(root, path)
                    .setEnum(List.of()));
            bound(root.getProperties().get("spec"));
            if ("AgentTask".equals(kind)) {
                keepImmutable(root.getProperties().get("spec"));
                rule(
                        root,
                        "!has(self.spec.ttlSecondsAfterFinished) || has(self.spec.idempotencyKey) || has(self.metadata.generateName)",
                        "ttlSecondsAfterFinished needs idempotencyKey or generateName: a GitOps tool would create the deleted task anew and pay again");
            }
            if ("WorkerPool".equals(kind)) {
                final Map<String, JSONSchemaProps> spec =
                        root.getProperties().get("spec").getProperties();
                spec.put("template", TemplateSchema.ofTemplate(spec.get("template")));
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

    private static void describe(JSONSchemaProps root, String kind) {
        final boolean task = "AgentTask".equals(kind);
        root.setDescription(
                task
                        ? "One coding task for an agent. The operator publishes it to the queue of its WorkerPool, and writes what became of it into the status."
                        : "A queue of tasks for one agent, and the workers that serve it.");
        root.getProperties()
                .get("spec")
                .setDescription(
                        task
                                ? "What to do, and on which pool. Only suspend, cancel, rerun and ttlSecondsAfterFinished may be changed."
                                : "Which agent, how many workers, and how the queue behaves.");
        root.getProperties()
                .get("status")
                .setDescription(
                        task
                                ? "What is known of the task. Written by the operator alone."
                                : "What is known of the pool. Written by the operator alone.");
    }

    private static JSONSchemaProps at(JSONSchemaProps root, String path) {
        JSONSchemaProps schema = root;
        for (final String name : path.split("\\.")) {
            schema = "[]".equals(name)
                    ? schema.getItems().getSchema()
                    : schema.getProperties().get(name);
        }
        return schema;
    }

    private static void list(JSONSchemaProps list, String key) {
        if (SET.equals(key)) {
            list.setXKubernetesListType("set");
            return;
        }
        list.setXKubernetesListType("map");
        list.setXKubernetesListMapKeys(List.of(key));
        final JSONSchemaProps entry = list.getItems().getSchema();
        if (!entry.getRequired().contains(key)) {
            entry.setRequired(
                    Stream.concat(entry.getRequired().stream(), Stream.of(key)).toList());
        }
    }

    /** As the records have them: a client in another language takes an integer without a format for what it likes. */
    private static void formats(JSONSchemaProps schema, Class<?> type) {
        if (!type.isRecord() || schema.getProperties() == null) {
            return;
        }
        for (final RecordComponent component : type.getRecordComponents()) {
            final JSONSchemaProps value = schema.getProperties().get(component.getName());
            if (value == null) {
                continue;
            }
            if (component.getType() == Integer.class) {
                value.setFormat("int32");
            } else if (component.getType() == Long.class) {
                value.setFormat("int64");
            }
            formats(value, component.getType());
            if (value.getItems() != null && component.getGenericType() instanceof ParameterizedType list) {
                formats(value.getItems().getSchema(), raw(list.getActualTypeArguments()[0]));
            }
        }
    }

    private static Class<?> raw(Type type) {
        return type instanceof Class<?> known ? known : Object.class;
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
