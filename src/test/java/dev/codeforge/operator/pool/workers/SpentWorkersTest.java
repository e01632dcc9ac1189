package dev.codeforge.operator.pool.workers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.jetstream.WorkerControl;
import dev.codeforge.operator.scaling.Workers;
import dev.codeforge.testing.FakeConnections;
import dev.codeforge.testing.NoWorkers;
import dev.codeforge.testing.Resources;
import dev.codeforge.wire.DispatchKey;
import dev.codeforge.wire.WorkerRef;
import io.fabric8.kubernetes.api.model.Pod;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Test;

final class SpentWorkersTest {
    private final WorkerPool pool = Resources.pool("ns", "pool", null);
    private final FakeConnections connections = new FakeConnections(new DispatchKey(new byte[32]));
    private final Workers workers = new Workers();
    private Instant now = Instant.parse("2026-11-24T12:00:00Z");
    private final InstantSource time = () -> now;
    private final SpentWorkers.Memory memory = new SpentWorkers.Memory();
    private final SpentWorkers spent = new SpentWorkers(connections, time.withZone(ZoneOffset.UTC));

    SpentWorkersTest() {
        connections.workers = workers;
    }

    @Test
    void whoSaysSoIsSpentAndNotAskedAgain() {
        workers.answers.put("a", answer(true, true, true));
        workers.answers.put("b", answer(true, false, false));
        final Pod a = pod("a", "true");
        final Pod b = pod("b", "true");
        assertThat(spent.of(pool, memory, List.of(a, b))).containsExactly(a);
        later(Duration.ofSeconds(10));
        workers.asked.clear();
        assertThat(spent.of(pool, memory, List.of(a, b))).containsExactly(a);
        assertThat(workers.asked).containsExactly("b");
    }

    @Test
    void noneThatIsBusyOrPullsIsSpentWhateverItSays() {
        workers.answers.put("busy", answer(false, true, true));
        workers.answers.put("pulling", answer(true, false, true));
        workers.answers.put("drained", answer(true, true, false));
        assertThat(spent.of(pool, memory, List.of(pod("busy", "true"), pod("pulling", "true"), pod("drained", "true"))))
                .isEmpty();
    }

    @Test
    void whoAnswersIsAskedAgainSoonAndWhoIsSilentLater() {
        workers.answers.put("busy", answer(false, true, false));
        final List<Pod> pods = List.of(pod("busy", "true"), pod("silent", "true"));
        spent.of(pool, memory, pods);
        spent.of(pool, memory, pods);
        later(Duration.ofMillis(100));
        spent.of(pool, memory, pods);
        assertThat(workers.asked).containsExactlyInAnyOrder("busy", "silent", "busy");
        later(Duration.ofSeconds(2));
        spent.of(pool, memory, pods);
        assertThat(workers.asked).containsExactlyInAnyOrder("busy", "silent", "busy", "busy", "silent");
    }

    @Test
    void anotherPodOfTheSameNameIsAnotherWorker() {
        workers.answers.put("a", answer(true, true, true));
        spent.of(pool, memory, List.of(pod("a", "true")));
        workers.answers.put("a", answer(true, false, false));
        final Pod other = pod("a", "true");
        other.getMetadata().setUid("another");
        assertThat(spent.of(pool, memory, List.of(other))).isEmpty();
    }

    @Test
    void nobodyIsAskedWhoIsNotForOneTaskOrIsGoing() {
        final Pod going = pod("going", "true");
        going.getMetadata().setDeletionTimestamp("2026-11-24T12:00:00Z");
        assertThat(spent.of(pool, memory, List.of(pod("ordinary", "false"), going)))
                .isEmpty();
        assertThat(workers.asked).isEmpty();
    }

    private void later(Duration time) {
        now = now.plus(time);
    }

    private static WorkerControl.Answer answer(boolean idle, boolean draining, boolean spent) {
        return new WorkerControl.Answer(idle, draining, Duration.ZERO, Optional.of(List.of()), Optional.of(spent));
    }

    private static Pod pod(String name, String forOneTask) {
        return Resources.of(
                Pod.class,
                """
                metadata: {name: %1$s, uid: uid-%1$s}
                spec: {containers: [{name: worker, env: [{name: CODEFORGE_WORKER_PER_TASK, value: '%2$s'}]}]}
                """
                        .formatted(name, forOneTask));
    }

    /** Those that have no answer are silent. */
    private static final class Workers extends NoWorkers {
        private final Map<String, Answer> answers = new ConcurrentHashMap<>();
        private final List<String> asked = Collections.synchronizedList(new ArrayList<>());

        @Override
        public Optional<Answer> look(WorkerRef worker, Duration timeout) {
            asked.add(worker.pod());
            return Optional.ofNullable(answers.get(worker.pod()));
        }
    }
}
