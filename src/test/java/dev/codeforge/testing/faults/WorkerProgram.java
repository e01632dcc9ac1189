package dev.codeforge.testing.faults;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/** The Python worker from its source, in the virtual environment that its own tests run in. */
final class WorkerProgram {
    private static final String MAIN =
            "import sys; sys.path.insert(0, %s); from codeforge_worker.cli import main; main()";
    private static String python;

    private WorkerProgram() {}

    /** Without an environment variable that the worker's children would inherit. */
    static List<String> command() {
        final String source = Path.of("worker/src").toAbsolutePath().toString();
        return List.of(python(), "-c", MAIN.formatted("'" + source + "'"));
    }

    /** Made with the first use, which may download packages. */
    private static synchronized String python() {
        if (python == null) {
            python = environment() + "/bin/python";
        }
        return python;
    }

    private static String environment() {
        try {
            final Process asking = new ProcessBuilder("hack/test/worker", "--environment")
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            final String answer = new String(asking.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
            if (asking.waitFor() != 0 || answer.isEmpty()) {
                throw new IllegalStateException("hack/test/worker --environment failed, see its output above");
            }
            return answer;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException("interrupted", e);
        }
    }
}
