package dev.codeforge.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/** Folders of tests and of the servers that they start: under {@code target/tests}, where logs are found after a failure. */
public final class TestFolder {
    private static final Path ALL = Path.of("target/tests").toAbsolutePath();

    private TestFolder() {}

    /** A new folder whose name begins so. */
    public static Path make(String name) throws IOException {
        return Files.createTempDirectory(Files.createDirectories(ALL), name + "-");
    }

    /** Deletes a folder, such as a server's store, with all that is in it. */
    public static void delete(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        try (Stream<Path> all = Files.walk(folder)) {
            for (final Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }
}
