package dev.codeforge.operator.pool.workers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.operator.scaling.Workers;
import dev.codeforge.testing.FakeConnections;
import dev.codeforge.testing.NoWorkers;
import dev.codeforge.testing.Resources;
import dev.codeforge.wire.DispatchKey;
import dev.codeforge.wire.WorkerRef;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class WorkerWallsTest {
    private static final Instant NOW = Instant.parse("2026-11-24T12:00:00Z");

    private final WorkerPool pool = Resources.pool("ns", "pool", null);
    private final FakeConnections connections = new FakeConnections(new DispatchKey(new byte[32]));
    private final Workers workers = new Workers();
    private final WorkerWalls.Memory memory = new WorkerWalls.Memory();
    private final WorkerWalls walls = new WorkerWalls(connections, Clock.fixed(NOW, ZoneOffset.UTC));

    WorkerWallsTest() {
        connections.workers = workers;
    }

    @Test
    void whatAnyWorkerLacksIsThePools() {
        workers.told.put("a", Optional.of(List.of("one", "both")));
        workers.told.put("b", Optional.of(List.of("both")));
        assertThat(walls.of(pool, memory, List.of(pod("a", true), pod("b", true))))
                .contains(List.of("both", "one"));
    }

    @Test
    void aWorkerIsAskedOnce() {
        workers.told.put("a", Optional.of(List.of()));
        walls.of(pool, memory, List.of(pod("a", true)));
        assertThat(walls.of(pool, memory, List.of(pod("a", true)))).contains(List.of());
        assertThat(workers.asked).containsExactly("a");
    }

    @Test
    void whoIsSilentOrNotReadyTellsNothingAndIsNotAskedAtEachLook() {
        assertThat(walls.of(pool, memory, List.of(pod("silent", true), pod("starting", false))))
                .isEmpty();
        walls.of(pool, memory, List.of(pod("silent", true)));
        assertThat(workers.asked).containsExactly("silent");
    }

    @Test
    void aWorkerThatHasGoneTellsNothingAnyMore() {
        workers.told.put("a", Optional.of(List.of("one")));
        walls.of(pool, memory, List.of(pod("a", true)));
        assertThat(walls.of(pool, memory, List.of())).isEmpty();
    }

    @Test
    void anOlderWorkerIsSaidNotToSay() {
        workers.told.put("a", Optional.empty());
        assertThat(walls.of(pool, memory, List.of(pod("a", true))))
                .contains(List.of("worker a does not say: its image is older than the operator"));
    }

    @Test
    void anOlderWorkerThatIsToBeForOneTaskIsSaidToTakeMore() {
        workers.told.put("a", Optional.of(List.of()));
        final Pod forOneTask = new PodBuilder(pod("a", true))
                .withNewSpec()
                .addNewContainer()
                .withName("worker")
                .addNewEnv()
                .withName("CODEFORGE_WORKER_PER_TASK")
                .withValue("true")
                .endEnv()
                .endContainer()
                .endSpec()
                .build();
        workers.saysWhetherItIsSpent = false;
        assertThat(walls.of(pool, memory, List.of(forOneTask)))
                .contains(List.of("worker a takes task after task, not one: its image is older than the operator"));
    }

    private static Pod pod(String name, boolean ready) {
        return new PodBuilder()
                .withNewMetadata()
                .withName(name)
                .withUid("uid-" + name)
                .endMetadata()
                .withNewStatus()
                .addNewCondition()
                .withType("Ready")
                .withStatus(ready ? "True" : "False")
                .endCondition()
                .endStatus()
                .build();
    }

    /** Those that are not told of are silent. */
    private static final class Workers extends NoWorkers {
        private final Map<String, Optional<List<String>>> told = new HashMap<>();
        private final List<String> asked = Collections.synchronizedList(new ArrayList<>());
        private boolean saysWhetherItIsSpent = true;

        @Override
        public Optional<Answer> look(WorkerRef worker, Duration timeout) {
            asked.add(worker.pod());
            return Optional.ofNullable(told.get(worker.pod()))
                    .map(open -> new Answer(
                            true,
                            false,
                            Duration.ZERO,
                            open,
                            Optional.of(false).filter(known -> saysWhetherItIsSpent)));
        }
    }
}
