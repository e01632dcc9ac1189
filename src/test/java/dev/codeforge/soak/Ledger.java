package dev.codeforge.soak;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** A file to which each agent writes that it began and how it ended: the only witness that it ran. */
final class Ledger {
    private static final String SCRIPT =
            """
            read -r behaviour seconds
            note() {
              read -r now _ < /proc/uptime
              echo "$CODEFORGE_TASK_ID $CODEFORGE_ATTEMPT $CODEFORGE_POD_NAME $$ $1 $now" >> %s
            }
            note start
            sleep "$seconds"
            %s
            case $behaviour in
              fail) note end; exit 1 ;;
              flaky) [ "$CODEFORGE_ATTEMPT" -gt 1 ] || { note end; exit 1; } ;;
            esac
            note end
            """;

    /** Work that is kept, on which each run leaves a line; some leave locks as well, as a git that was killed does. */
    private static final String WORK =
            """
            echo "$CODEFORGE_TASK_ID $CODEFORGE_ATTEMPT $CODEFORGE_POD_NAME $$" >> work || exit 1
            if [ "$behaviour" = lock ]; then
              mkdir -p .git/refs/heads
              for lock in index HEAD config packed-refs shallow refs/heads/main; do : > ".git/$lock.lock" || exit 1; done
            fi
            """;

    private final Path file;
    private final Instant boot;

    Ledger(Path file) throws IOException {
        this.file = Files.createFile(file);
        final double uptime =
                Double.parseDouble(Files.readString(Path.of("/proc/uptime")).split(" ")[0]);
        this.boot = Instant.now().minus(Duration.ofMillis((long) (uptime * 1000)));
    }

    /** For {@code sh -c}: does what the prompt says, and writes so. */
    String script(boolean inRepository) {
        return SCRIPT.formatted(file, inRepository ? WORK : "");
    }

    /** Processes of this worker's agents that have begun and not ended. */
    List<ProcessHandle> agentsOf(String worker) {
        try {
            return runs().stream()
                    .filter(run -> run.worker().equals(worker) && run.end().isEmpty())
                    .flatMap(run -> ProcessHandle.of(Long.parseLong(run.pid())).stream())
                    // The number may be another's by now.
                    .filter(process -> process.info().command().orElse("").endsWith("sh"))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** One run of an agent; without an end when it was killed. */
    record Run(String task, int attempt, String worker, String pid, Instant start, Optional<Instant> end) {}

    /** All runs, in the order of their starts. */
    List<Run> runs() throws IOException {
        final Map<String, Run> runs = new TreeMap<>();
        final List<Run> ordered = new ArrayList<>();
        for (final String line : Files.readAllLines(file)) {
            final String[] words = line.split(" ");
            final String key = String.join(" ", words[0], words[1], words[2], words[3]);
            final Instant time = boot.plus(Duration.ofMillis((long) (Double.parseDouble(words[5]) * 1000)));
            final Run begun = runs.get(key);
            if (words[4].equals("start")) {
                final Run run =
                        new Run(words[0], Integer.parseInt(words[1]), words[2], words[3], time, Optional.empty());
                runs.put(key, run);
                ordered.add(run);
            } else {
                ordered.set(
                        ordered.indexOf(begun),
                        new Run(
                                begun.task(),
                                begun.attempt(),
                                begun.worker(),
                                begun.pid(),
                                begun.start(),
                                Optional.of(time)));
            }
        }
        ordered.sort(java.util.Comparator.comparing(Run::start));
        return ordered;
    }
}
