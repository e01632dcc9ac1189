package dev.codeforge.soak;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Small programs of the machine that the soak needs: git and mount. */
final class Programs {
    /** git as on no machine in particular. */
    private static final Map<String, String> ENVIRONMENT = Map.of(
            "GIT_CONFIG_NOSYSTEM", "1",
            "HOME", "/nonexistent",
            "GIT_AUTHOR_NAME", "Soak",
            "GIT_AUTHOR_EMAIL", "soak@localhost",
            "GIT_COMMITTER_NAME", "Soak",
            "GIT_COMMITTER_EMAIL", "soak@localhost");

    private Programs() {}

    /** @return what it has printed, without the last line's end */
    static String run(Path directory, String... command) {
        try {
            final Process process = start(directory, command);
            final String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (process.waitFor() != 0) {
                throw new IllegalStateException(String.join(" ", command) + " failed: " + printed);
            }
            return printed.stripTrailing();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException("interrupted", e);
        }
    }

    static Process start(Path directory, String... command) throws IOException {
        final ProcessBuilder builder = new ProcessBuilder(List.of(command))
                .directory(directory.toFile())
                .redirectErrorStream(true);
        builder.environment().keySet().retainAll(List.of("PATH"));
        builder.environment().putAll(ENVIRONMENT);
        return builder.start();
    }
}
