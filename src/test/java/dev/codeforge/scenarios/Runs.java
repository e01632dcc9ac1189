package dev.codeforge.scenarios;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A file to which each agent writes when it begins: the only witness that it ran. */
final class Runs {
    private final Path file;

    Runs(Path file) {
        this.file = file;
    }

    /** For {@code sh -c}: does what the prompt says, as a script, and notes that it began. */
    String script() {
        return "echo \"$CODEFORGE_TASK_ID $CODEFORGE_ATTEMPT $CODEFORGE_POD_NAME $$\" >> " + file + "; eval \"$(cat)\"";
    }

    record Run(String task, int attempt, String worker, long pid) {
        boolean isAlive() {
            return ProcessHandle.of(pid).filter(ProcessHandle::isAlive).isPresent();
        }
    }

    /** Runs of a task, in the order of their beginnings. */
    List<Run> of(String taskId) {
        return all().stream().filter(run -> run.task().equals(taskId)).toList();
    }

    List<Run> all() {
        try {
            return Files.exists(file)
                    ? Files.readAllLines(file).stream().map(Runs::read).toList()
                    : List.of();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Run read(String line) {
        final String[] words = line.split(" ");
        return new Run(words[0], Integer.parseInt(words[1]), words[2], Long.parseLong(words[3]));
    }
}
