package dev.codeforge.scenarios;

import static dev.codeforge.scenarios.EndState.WORK;
import static dev.codeforge.scenarios.Scene.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.Phase;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** What Prometheus reads from a working operator. */
final class MetricsIT {
    private static final Pattern HELP = Pattern.compile("(?m)^# HELP (codeforge_\\S+) ");
    private static final Pattern IN_DOCS = Pattern.compile("`(codeforge_[a-z_]+)(?:\\{[^`]*})?`");

    @Scenario
    void theWorkOfAPoolIsCountedAndEachMetricIsDocumented() throws Exception {
        try (Scene scene = Scene.started("pool")) {
            scene.worker("worker", "pool");
            scene.task("good", "pool", WORK, "");
            scene.task("bad", "pool", "exit 3", "");
            scene.awaitPhase("good", Phase.Succeeded);
            scene.awaitPhase("bad", Phase.Failed);
            // A task's status is counted after it was stored.
            eventually(() -> scene.metrics().contains("reason=\"CommandFailed\""));

            final String metrics = scene.metrics();
            final String namespace = scene.installation().namespace();
            assertThat(metrics)
                    .contains("codeforge_tasks_finished_total{namespace=\"" + namespace
                            + "\",phase=\"Succeeded\",pool=\"pool\",reason=\"None\"} 1.0")
                    .contains("codeforge_tasks{namespace=\"" + namespace + "\",phase=\"Failed\",pool=\"pool\"} 1.0")
                    .contains("codeforge_task_run_seconds_count{namespace=\"" + namespace
                            + "\",outcome=\"Failed\",pool=\"pool\"} 1")
                    .contains("codeforge_task_queue_seconds_count{namespace=\"" + namespace + "\",pool=\"pool\"} 2")
                    .contains("codeforge_nats_connected 1.0")
                    .contains("codeforge_leading 1.0");
            assertThat(named(HELP, metrics)).isSubsetOf(named(IN_DOCS, Files.readString(Path.of("docs/metrics.md"))));
        }
    }

    private static Set<String> named(Pattern pattern, String text) {
        return pattern.matcher(text)
                .results()
                .map(found -> found.group(1).replaceFirst("_max$", ""))
                .collect(Collectors.toSet());
    }
}
