package dev.codeforge.operator.sweep;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.codeforge.api.AgentTask;
import dev.codeforge.jetstream.QueueUnavailableException;
import dev.codeforge.operator.index.TaskIndex;
import dev.codeforge.testing.InMemoryCache;
import dev.codeforge.testing.Resources;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Each key is looked at once a day, a few at a time. */
final class LedgerSweepTest {
    private static final Duration PERIOD = Duration.ofSeconds(30);
    private final InMemoryCache<AgentTask> tasks = new InMemoryCache<>(Map.of());
    private final List<String> looked = new ArrayList<>();
    private Instant now = Instant.parse("2026-11-24T12:00:00Z");
    private LedgerSweep sweep = sweep(1);

    @Test
    void aTaskWithAKeyIsLookedAtOnceADay() {
        add(1);
        tasks.put(Resources.task("ns", "without", "pool"));
        rounds(100);
        assertThat(looked).containsExactly("task-0");
        now = now.plus(Duration.ofHours(23));
        rounds(1);
        assertThat(looked).hasSize(1);
        now = now.plus(Duration.ofHours(1));
        rounds(1);
        assertThat(looked).hasSize(2);
    }

    @Test
    void ofManyAFewAreLookedAtInARound() {
        add(100);
        rounds(1);
        assertThat(looked).hasSize(20);
        rounds(4);
        assertThat(looked).hasSize(100).doesNotHaveDuplicates();
        rounds(100);
        assertThat(looked).hasSize(100);
    }

    /** It begins with others each time: none is always the last. */
    @Test
    void anOperatorThatIsOftenRestartedComesToAll() {
        add(100);
        for (int start = 0; start < 60; start++) {
            sweep = sweep(start);
            rounds(1);
        }
        assertThat(new HashSet<>(looked)).hasSize(100);
    }

    @Test
    void anEntryThatCannotBeReadDoesNotKeepTheOthersFromBeingLookedAt() {
        add(3);
        sweep = new LedgerSweep(
                new TaskIndex().in(tasks),
                task -> {
                    if (task.getMetadata().getName().equals("task-1")) {
                        throw new QueueUnavailableException("not the operator's");
                    }
                    looked.add(task.getMetadata().getName());
                },
                at(),
                new Random(1));
        assertThatThrownBy(() -> rounds(3)).isInstanceOf(QueueUnavailableException.class);
        rounds(3);
        assertThat(looked).containsExactlyInAnyOrder("task-0", "task-2");
    }

    private void rounds(int count) {
        for (int i = 0; i < count; i++) {
            sweep.run();
            now = now.plus(PERIOD);
        }
    }

    private void add(int count) {
        for (int i = 0; i < count; i++) {
            tasks.put(Resources.task("ns", "task-" + i, "pool", "idempotencyKey: key-" + i));
        }
    }

    private LedgerSweep sweep(int seed) {
        return new LedgerSweep(
                new TaskIndex().in(tasks), task -> looked.add(task.getMetadata().getName()), at(), new Random(seed));
    }

    private Clock at() {
        return ((InstantSource) () -> now).withZone(ZoneOffset.UTC);
    }
}
