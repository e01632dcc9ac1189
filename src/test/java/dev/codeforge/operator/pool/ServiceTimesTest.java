package dev.codeforge.operator.pool;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.operator.index.TaskIndex;
import dev.codeforge.operator.time.Clocks;
import dev.codeforge.testing.InMemoryCache;
import dev.codeforge.testing.Resources;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class ServiceTimesTest {
    private static final Instant NOON = Instant.parse("2026-11-24T12:00:00Z");

    private final InMemoryCache<AgentTask> tasks = new InMemoryCache<>(Map.of());
    private final WorkerPool pool = Resources.pool("ns", "pool", null);
    private final ServiceTimes.Memory memory = new ServiceTimes.Memory();
    private final TaskIndex index = new TaskIndex().in(tasks);
    private Instant now = NOON;
    private final InstantSource source = () -> now;
    private final Clock clock = source.withZone(ZoneOffset.UTC);
    private final ServiceTimes times = new ServiceTimes(index, new Clocks(clock, clock, clock));

    @Test
    void whereNoTaskHasEndedNothingIsKnown() {
        task("waiting", "pool", "phase: Queued");
        task("running", "pool", "phase: Running, startTime: '2026-11-24T11:00:00Z'");
        assertThat(times.of(pool, memory)).isEmpty();
    }

    @Test
    void itIsTheMeanOfTheRunsOfThePool() {
        ended("short", "pool", 60);
        ended("long", "pool", 180);
        ended("other", "another", 9999);
        task("adopted", "pool", "phase: Succeeded, completionTime: '2026-11-24T11:59:00Z'");
        assertThat(times.of(pool, memory)).hasValue(Duration.ofSeconds(120));
    }

    @Test
    void aRunThatTakesLongerIsNoticedBeforeItEnds() {
        ended("short", "pool", 60);
        task("running", "pool", "phase: Running, startTime: '2026-11-24T11:00:00Z'");
        assertThat(times.of(pool, memory).orElseThrow()).isGreaterThan(Duration.ofMinutes(20));
    }

    @Test
    void tasksAreReadEachFiveSecondsAtMost() {
        ended("short", "pool", 60);
        assertThat(times.of(pool, memory)).hasValue(Duration.ofSeconds(60));
        ended("long", "pool", 180);
        now = NOON.plusMillis(4999);
        assertThat(times.of(pool, memory)).hasValue(Duration.ofSeconds(60));
        now = NOON.plusSeconds(5);
        assertThat(times.of(pool, memory)).hasValue(Duration.ofSeconds(120));
    }

    private void ended(String name, String of, int seconds) {
        task(
                name,
                of,
                "phase: Succeeded, startTime: '%s', completionTime: '%s'"
                        .formatted(NOON.minusSeconds(1000), NOON.minusSeconds(1000 - seconds)));
    }

    private void task(String name, String of, String status) {
        final AgentTask task = Resources.task("ns", name, of);
        task.setStatus(Resources.of(AgentTaskStatus.class, "{" + status + "}"));
        tasks.put(task);
    }
}
