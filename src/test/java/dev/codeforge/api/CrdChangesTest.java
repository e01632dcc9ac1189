package dev.codeforge.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.api.model.apiextensions.v1.JSONSchemaProps;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The CRDs keep what was valid once. {@code make manifests} takes each compatible change into src/test/resources/crds-kept; a change
 * that breaks somebody is made by changing the copy there by hand, for a reviewer to see.
 */
final class CrdChangesTest {
    private static final Path KEPT = Path.of("src/test/resources/crds-kept");
    private static final String FORMER =
            """
            {type: object, required: [a], properties: {
              a: {type: string, maxLength: 10, enum: [x, y]},
              b: {type: integer, minimum: 1, maximum: 5, default: 2},
              c: {type: array, x-kubernetes-list-type: set, items: {type: string, pattern: p}},
              d: {type: object, x-kubernetes-preserve-unknown-fields: true}}}""";

    @ParameterizedTest
    @ValueSource(strings = {"agenttasks.codeforge.dev.yaml", "workerpools.codeforge.dev.yaml"})
    void theCrdsBreakNobody(String file) throws IOException {
        final Path now = Path.of("crds", file);
        final Path kept = KEPT.resolve(file);
        assertThat(CrdChanges.breaking(schema(kept), schema(now)))
                .as("%s breaks who relies on the former one", file)
                .isEmpty();
        if (Boolean.getBoolean("crds.write")) {
            Files.writeString(kept, Files.readString(now));
        }
        assertThat(now).as("run `make manifests`").hasSameTextualContentAs(kept);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "a: {type: string, maxLength: 10, enum: [x, y]} | a: {type: integer} | .a: type was",
                "a: {type: string, maxLength: 10, enum: [x, y]} | a: {type: string, maxLength: 9, enum: [x, y]} | .a: maxLength is narrower",
                "a: {type: string, maxLength: 10, enum: [x, y]} | a: {type: string, maxLength: 10, enum: [x]} | .a: enum is narrower",
                "a: {type: string, maxLength: 10, enum: [x, y]} | z: {type: string} | .a is gone",
                "default: 2 | default: 3 | .b: default was 2 and is 3",
                "minimum: 1 | minimum: 2 | .b: minimum is narrower",
                "maximum: 5 | maximum: 4 | .b: maximum is narrower",
                "x-kubernetes-list-type: set | x-kubernetes-list-type: atomic | .c: list type was",
                "pattern: p | pattern: q | .c[]: pattern is narrower",
                "x-kubernetes-preserve-unknown-fields: true | nullable: true | .d: x-kubernetes-preserve-unknown-fields is narrower",
                "'required: [a]' | 'required: [a, b]' | : b is required, and was not",
                "'required: [a]' | 'required: [a], x-kubernetes-validations: [{rule: r, message: m}]' | : a new rule: m"
            })
    void whatWasValidMustStaySo(String part, String instead, String said) {
        assertThat(FORMER).contains(part);
        assertThat(CrdChanges.breaking(of(FORMER), of(FORMER.replace(part, instead))))
                .singleElement()
                .asString()
                .startsWith(said);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "maxLength: 10 | maxLength: 11",
                "enum: [x, y] | enum: [x, y, z]",
                "'required: [a], ' | ''",
                "pattern: p | nullable: true",
                "'a: {type' | 'e: {type: string}, a: {type'"
            })
    void whatBecomesWiderBreaksNobody(String part, String instead) {
        assertThat(FORMER).contains(part);
        assertThat(CrdChanges.breaking(of(FORMER), of(FORMER.replace(part, instead))))
                .isEmpty();
    }

    @Test
    void nothingChangesByItself() {
        assertThat(CrdChanges.breaking(of(FORMER), of(FORMER))).isEmpty();
    }

    private static JSONSchemaProps of(String yaml) {
        return Serialization.unmarshal("---\n" + yaml, JSONSchemaProps.class);
    }

    private static JSONSchemaProps schema(Path file) throws IOException {
        return Serialization.unmarshal(Files.readString(file), CustomResourceDefinition.class)
                .getSpec()
                .getVersions()
                .getFirst()
                .getSchema()
                .getOpenAPIV3Schema();
    }
}
