package dev.codeforge.testing;

import java.nio.file.Files;
import java.nio.file.Path;

/** The real servers that tests start; {@code hack/tools/install} builds them. */
public final class TestBinaries {
    private TestBinaries() {}

    public static String path(String name) {
        final Path path = Path.of(System.getProperty("codeforge.bin", ""), name);
        if (!Files.isExecutable(path)) {
            throw new IllegalStateException(
                    path + " is missing: run hack/tools/install, or start the tests by `make test`");
        }
        return path.toString();
    }
}
