package dev.codeforge.testing;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The JSON Schemas under {@code schemas/}. */
public final class Schemas {
    private Schemas() {}

    /** What is wrong with a message in the words of {@code schemas/<name>.schema.json}; empty when nothing is. */
    public static List<String> problems(String name, byte[] message) throws IOException {
        return JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012)
                .getSchema(Files.readString(Path.of("schemas", name + ".schema.json")))
                .validate(new ObjectMapper().readTree(message))
                .stream()
                .map(Object::toString)
                .toList();
    }
}
