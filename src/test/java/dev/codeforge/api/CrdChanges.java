package dev.codeforge.api;

import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.kubernetes.api.model.apiextensions.v1.JSONSchemaProps;
import io.fabric8.kubernetes.api.model.apiextensions.v1.ValidationRule;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** What of a new schema breaks who relies on the former one: what was valid, or could be read, must stay so. */
final class CrdChanges {
    private final List<String> breaking = new ArrayList<>();

    private CrdChanges() {}

    /** A sentence for each breaking change; empty for none. */
    static List<String> breaking(JSONSchemaProps former, JSONSchemaProps now) {
        final CrdChanges changes = new CrdChanges();
        changes.compare("", former, now);
        return changes.breaking;
    }

    private void compare(String path, JSONSchemaProps former, JSONSchemaProps now) {
        same(path, "type", former.getType(), now.getType());
        same(path, "format", former.getFormat(), now.getFormat());
        same(path, "default", former.getDefault(), now.getDefault());
        same(path, "list type", former.getXKubernetesListType(), now.getXKubernetesListType());
        same(path, "list keys", former.getXKubernetesListMapKeys(), now.getXKubernetesListMapKeys());
        if (former.getPattern() == null || !former.getPattern().equals(now.getPattern())) {
            narrower(path, "pattern", now.getPattern() != null);
        }
        least(path, "minimum", former.getMinimum(), now.getMinimum());
        most(path, "maximum", former.getMaximum(), now.getMaximum());
        least(path, "minLength", former.getMinLength(), now.getMinLength());
        most(path, "maxLength", former.getMaxLength(), now.getMaxLength());
        least(path, "minItems", former.getMinItems(), now.getMinItems());
        most(path, "maxItems", former.getMaxItems(), now.getMaxItems());
        most(path, "maxProperties", former.getMaxProperties(), now.getMaxProperties());
        narrower(
                path,
                "x-kubernetes-preserve-unknown-fields",
                Boolean.TRUE.equals(former.getXKubernetesPreserveUnknownFields())
                        && !Boolean.TRUE.equals(now.getXKubernetesPreserveUnknownFields()));
        values(path, former.getEnum(), now.getEnum());
        now.getRequired().stream()
                .filter(name -> !former.getRequired().contains(name))
                .forEach(name -> breaking.add(path + ": " + name + " is required, and was not"));
        rules(path, former.getXKubernetesValidations(), now.getXKubernetesValidations());
        fields(path, former.getProperties(), now.getProperties());
        if (former.getItems() != null && now.getItems() != null) {
            compare(path + "[]", former.getItems().getSchema(), now.getItems().getSchema());
        }
        if (former.getAdditionalProperties() != null && now.getAdditionalProperties() != null) {
            compare(
                    path + ".*",
                    former.getAdditionalProperties().getSchema(),
                    now.getAdditionalProperties().getSchema());
        }
    }

    private void fields(String path, Map<String, JSONSchemaProps> former, Map<String, JSONSchemaProps> now) {
        former.forEach((name, schema) -> {
            if (now.containsKey(name)) {
                compare(path + "." + name, schema, now.get(name));
            } else {
                breaking.add(path + "." + name + " is gone");
            }
        });
    }

    /** None that had a value may lose it; and one without an enum may not get one. */
    private void values(String path, List<JsonNode> former, List<JsonNode> now) {
        narrower(path, "enum", !now.isEmpty() && (former.isEmpty() || !now.containsAll(former)));
    }

    /** Told apart by their messages: a rule's own text names all fields that cannot be changed, new ones too. */
    private void rules(String path, List<ValidationRule> former, List<ValidationRule> now) {
        final List<String> known =
                former.stream().map(ValidationRule::getMessage).toList();
        now.stream()
                .map(ValidationRule::getMessage)
                .filter(message -> !known.contains(message))
                .forEach(message -> breaking.add(path + ": a new rule: " + message));
    }

    private void least(String path, String what, Number former, Number now) {
        narrower(path, what, now != null && (former == null || now.doubleValue() > former.doubleValue()));
    }

    private void most(String path, String what, Number former, Number now) {
        narrower(path, what, now != null && (former == null || now.doubleValue() < former.doubleValue()));
    }

    private void narrower(String path, String what, boolean is) {
        if (is) {
            breaking.add(path + ": " + what + " is narrower than it was");
        }
    }

    private void same(String path, String what, Object former, Object now) {
        if (!Objects.equals(former, now)) {
            breaking.add(path + ": " + what + " was " + Serialization.asJson(former) + " and is "
                    + Serialization.asJson(now));
        }
    }
}
