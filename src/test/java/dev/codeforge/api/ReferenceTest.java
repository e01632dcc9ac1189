package dev.codeforge.api;

import dev.codeforge.testing.GeneratedDocument;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinitionVersion;
import io.fabric8.kubernetes.api.model.apiextensions.v1.JSONSchemaProps;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** {@code docs/reference.md} tells every field of the CRDs. */
final class ReferenceTest {
    private final StringBuilder page = new StringBuilder();

    @Test
    void theReferenceTellsEveryFieldOfTheCrds() throws IOException {
        line("# Reference");
        line("");
        line("Generated from `crds/` by `make manifests`. Reasons of conditions are in [reasons.md](reasons.md).");
        for (final String name : List.of("agenttasks", "workerpools")) {
            kind(Serialization.unmarshal(
                    Files.readString(Path.of("crds", name + ".codeforge.dev.yaml")), CustomResourceDefinition.class));
        }
        GeneratedDocument.assertCommitted(Path.of("docs", "reference.md"), page.toString());
    }

    private void kind(CustomResourceDefinition crd) {
        final CustomResourceDefinitionVersion version =
                crd.getSpec().getVersions().getFirst();
        final JSONSchemaProps root = version.getSchema().getOpenAPIV3Schema();
        line("");
        line("## " + crd.getSpec().getNames().getKind());
        line("");
        line("`" + crd.getSpec().getGroup() + "/" + version.getName() + "`, namespaced; short name `"
                + String.join("`, `", crd.getSpec().getNames().getShortNames()) + "`, category `"
                + String.join("`, `", crd.getSpec().getNames().getCategories()) + "`.");
        final List<String> rules = new ArrayList<>();
        for (final String part : List.of("spec", "status")) {
            line("");
            line("### " + part);
            line("");
            line("| field | type | default | range | meaning |");
            line("|---|---|---|---|---|");
            fields("", root.getProperties().get(part));
            rules(part, root.getProperties().get(part), rules);
        }
        rules("metadata", root, rules);
        line("");
        line("### Rules");
        line("");
        rules.forEach(this::line);
    }

    private void fields(String prefix, JSONSchemaProps schema) {
        for (final Map.Entry<String, JSONSchemaProps> property :
                schema.getProperties().entrySet()) {
            final JSONSchemaProps value = property.getValue();
            final String path = prefix + property.getKey();
            final boolean required = schema.getRequired().contains(property.getKey());
            line("| `" + path + "`" + (required ? " (required)" : "") + " | " + type(value) + " | "
                    + (value.getDefault() == null ? "" : "`" + Serialization.asJson(value.getDefault()) + "`") + " | "
                    + range(value) + " | " + cell(value.getDescription()) + " |");
            fields(path + ".", value);
            if (value.getItems() != null && value.getItems().getSchema() != null && !"conditions".equals(path)) {
                fields(path + "[].", value.getItems().getSchema());
            }
        }
    }

    private static String type(JSONSchemaProps value) {
        if (value.getItems() != null) {
            return "list of " + type(value.getItems().getSchema());
        }
        if (value.getAdditionalProperties() != null) {
            return "map of " + type(value.getAdditionalProperties().getSchema());
        }
        final String type = value.getType() == null ? "object" : value.getType();
        return value.getFormat() == null ? type : type + " (" + value.getFormat() + ")";
    }

    private static String range(JSONSchemaProps value) {
        final List<String> parts = new ArrayList<>();
        if (!value.getEnum().isEmpty()) {
            parts.add(String.join(
                    ", ",
                    value.getEnum().stream()
                            .map(node -> "`" + node.asText() + "`")
                            .toList()));
        }
        between(parts, number(value.getMinimum()), number(value.getMaximum()), "");
        between(parts, number(value.getMinLength()), number(value.getMaxLength()), " characters");
        between(parts, number(value.getMinItems()), number(value.getMaxItems()), " items");
        between(parts, number(value.getMinProperties()), number(value.getMaxProperties()), " keys");
        if (value.getPattern() != null) {
            parts.add("`" + cell(value.getPattern()) + "`");
        }
        return String.join("; ", parts);
    }

    private static String number(Number number) {
        return number == null ? "" : Long.toString(number.longValue());
    }

    private static void between(List<String> parts, String least, String most, String unit) {
        if (!least.isEmpty() && !most.isEmpty()) {
            parts.add(least + " to " + most + unit);
        } else if (!most.isEmpty()) {
            parts.add("at most " + most + unit);
        } else if (!least.isEmpty()) {
            parts.add("at least " + least + unit);
        }
    }

    private static void rules(String path, JSONSchemaProps schema, List<String> rules) {
        schema.getXKubernetesValidations()
                .forEach(rule -> rules.add("- `" + path + "`: " + rule.getMessage() + " (`" + rule.getRule() + "`)"));
        if (!"metadata".equals(path)) {
            schema.getProperties().forEach((name, value) -> rules(path + "." + name, value, rules));
        }
    }

    private static String cell(String text) {
        return text == null ? "" : text.replace("|", "\\|").replace("\n", " ");
    }

    private void line(String text) {
        page.append(text).append('\n');
    }
}
