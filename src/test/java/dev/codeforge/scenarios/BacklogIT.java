package dev.codeforge.scenarios;

import static dev.codeforge.scenarios.EndState.WORK;
import static dev.codeforge.scenarios.Scene.eventually;
import static dev.codeforge.testing.Patience.throughout;
import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.Phase;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** A queue that has a limit is filled in the order of creation, and those that wait for room cost NATS nothing. */
final class BacklogIT {
    /** Those that are reconciled at the same time may overtake each other. */
    private static final int AT_ONCE = 8;

    private static final int TASKS = 60;

    private static final int RETRYING = 100;

    /** All that a task costs from creation to its end, with what its pool and the sweeps ask meanwhile. */
    private static final int REQUESTS_A_TASK = 40;

    @Scenario
    void aFullQueueIsFilledInTheOrderOfCreation() throws Exception {
        try (Scene scene = Scene.started()) {
            scene.pool("pool", "maxMessages: 3", "");
            final List<String> names = create(scene);
            eventually(() -> names.stream().noneMatch(name -> scene.phase(name) == null));
            scene.worker("worker", "pool", 1);
            names.forEach(name -> scene.awaitPhase(name, Phase.Succeeded));
            final List<String> published = new ArrayList<>(names);
            published.sort(
                    Comparator.comparing(name -> scene.status(name).queue().sequence()));
            for (int i = 0; i < TASKS; i++) {
                assertThat(published.indexOf(names.get(i)))
                        .as("place of %s in %s", names.get(i), published)
                        .isBetween(i - AT_ONCE, i + AT_ONCE);
            }
        }
    }

    @Scenario
    void tasksThatWaitForRoomCostNatsNothing() throws Exception {
        try (Scene scene = Scene.started()) {
            scene.pool("pool", "maxMessages: 3", "");
            final List<String> names = create(scene);
            eventually(() -> names.stream()
                                    .filter(name -> scene.phase(name) == Phase.Queued)
                                    .count()
                            == 3
                    && names.stream()
                                    .filter(name -> scene.reason(name).equals("QueueFull"))
                                    .count()
                            == TASKS - 3);
            final long before = scene.operatorNats().published(">");
            scene.worker("worker", "pool", 1);
            names.forEach(name -> scene.awaitPhase(name, Phase.Succeeded));
            assertThat(scene.operatorNats().published(">") - before)
                    .as("requests of the operator for %d tasks", TASKS)
                    .isLessThan((long) TASKS * REQUESTS_A_TASK);
        }
    }

    @Scenario
    void tasksThatWaitForTheirNextAttemptCostNatsNothing() throws Exception {
        try (Scene scene = Scene.started()) {
            scene.pool("pool", "");
            scene.worker("worker", "pool", 8);
            for (int i = 0; i < RETRYING; i++) {
                scene.task(
                        "task-%04d".formatted(i),
                        "pool",
                        "exit 1",
                        "retry: {maxAttempts: 2, backoffSeconds: 3600, retryable: [CommandFailed]}");
            }
            for (int i = 0; i < RETRYING; i++) {
                scene.awaitPhase("task-%04d".formatted(i), Phase.Retrying);
            }
            final long before = scene.operatorNats().published(">");
            // Two sweeps, and the pool's own reads.
            throughout(Duration.ofSeconds(11), () -> scene.operatorNats().published(">") - before < RETRYING);
        }
    }

    @Scenario
    void aPoolWithMoreRoomTakesThemAll() throws Exception {
        try (Scene scene = Scene.started()) {
            scene.pool("pool", "maxMessages: 1", "");
            final List<String> names = create(scene);
            eventually(() -> names.stream()
                            .filter(name -> scene.reason(name).equals("QueueFull"))
                            .count()
                    == TASKS - 1);
            scene.poolResource("pool")
                    .patch(PatchContext.of(PatchType.JSON_MERGE), "{\"spec\":{\"queue\":{\"maxMessages\":1000}}}");
            names.forEach(name -> scene.awaitPhase(name, Phase.Queued));
        }
    }

    private static List<String> create(Scene scene) {
        final List<String> names = new ArrayList<>();
        for (int i = 0; i < TASKS; i++) {
            names.add("task-%02d".formatted(i));
            scene.task(names.getLast(), "pool", WORK, "");
        }
        return names;
    }
}
