package dev.codeforge.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What became of each attempt of a hostile agent.
 *
 * @param byAttempt `done`, or why not
 */
record Outcomes(Map<String, String> byAttempt) {
    /** A run's output is one line of JSON, with an underscore for each space of a name. */
    static Outcomes of(AgentTaskStatus status) throws JsonProcessingException {
        assertThat(status.phase()).as("%s", status.error()).isEqualTo(Phase.Succeeded);
        final Map<String, String> outcomes = new TreeMap<>();
        new ObjectMapper()
                .readTree(status.result().output())
                .properties()
                .forEach(entry -> outcomes.put(
                        entry.getKey().replace('_', ' '), entry.getValue().asText()));
        return new Outcomes(outcomes);
    }

    Set<String> attempts() {
        return byAttempt.keySet();
    }

    Set<String> done() {
        final Set<String> done = new TreeSet<>(attempts());
        done.removeIf(attempt -> !"done".equals(byAttempt.get(attempt)));
        return done;
    }

    /** Shown by hack/test/e2e. */
    Outcomes print(String title) throws IOException {
        final Path file = Path.of("target/hostile", title.replace(' ', '-') + ".txt");
        Files.createDirectories(file.getParent());
        Files.write(
                file,
                byAttempt.entrySet().stream()
                        .map(entry -> "%-36s %s".formatted(entry.getKey(), entry.getValue()))
                        .toList());
        return this;
    }
}
