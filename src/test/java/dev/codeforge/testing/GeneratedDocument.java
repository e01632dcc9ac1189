package dev.codeforge.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A committed document that the code says. {@code make manifests} writes it: it runs the tests with crds.write=true. */
public final class GeneratedDocument {
    private GeneratedDocument() {}

    public static void assertCommitted(Path path, String wanted) throws IOException {
        if (Boolean.getBoolean("crds.write")) {
            Files.createDirectories(path.getParent());
            Files.writeString(path, wanted);
        }
        assertThat(path)
                .as("%s differs from what the code says: run `make manifests`", path)
                .hasContent(wanted);
    }
}
