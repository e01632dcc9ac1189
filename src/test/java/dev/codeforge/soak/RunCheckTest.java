package dev.codeforge.soak;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.soak.FaultLog.Effect;
import dev.codeforge.soak.Ledger.Run;
import dev.codeforge.wire.TaskEvent;
import dev.codeforge.wire.UnreadableMessageException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Each breach of a promise about runs is found, and nothing else is called one. */
final class RunCheckTest {
    private static final Instant BEGIN = Instant.parse("2026-11-24T10:00:00Z");

    @Test
    void oneRunBeforeTheEndOfItsAttemptIsRight() {
        assertThat(breaches(List.of(task("a", Kind.PLAIN, "")), List.of(run("a", 1, "w", 0)), List.of(), end("a", 2)))
                .isEmpty();
    }

    @Test
    void anotherRunOfTheAttemptNeedsALostWorker() {
        final List<Task> tasks = List.of(task("a", Kind.PLAIN, ""));
        final List<Run> runs = List.of(run("a", 1, "w", 0), run("a", 1, "x", 9));
        assertThat(breaches(tasks, runs, List.of())).containsOnlyKeys(Promise.REPEATS_EXPLAINED);
        assertThat(breaches(tasks, runs, List.of(loss("w", 1)))).isEmpty();
        assertThat(breaches(tasks, runs, List.of(loss("x", 1)))).containsOnlyKeys(Promise.REPEATS_EXPLAINED);
        assertThat(breaches(tasks, runs, List.of(loss("w", 10)))).containsOnlyKeys(Promise.REPEATS_EXPLAINED);
        assertThat(breaches(tasks, runs, List.of(new FaultLog.Entry("NATS killed", "w", Effect.NOTHING, at(1), at(2)))))
                .containsOnlyKeys(Promise.REPEATS_EXPLAINED);
    }

    @Test
    void aRunOfTheNextAttemptNeedsNone() {
        assertThat(breaches(
                        List.of(task("a", Kind.FLAKY, "")),
                        List.of(run("a", 1, "w", 0), run("a", 2, "w", 9)),
                        List.of(),
                        end("a", 2)))
                .isEmpty();
    }

    @Test
    void nobodyMayRunAfterTheEnd() {
        final List<Task> tasks = List.of(task("a", Kind.CANCELLED, ""));
        final List<Run> late = List.of(run("a", 1, "w", 3));
        assertThat(breaches(tasks, late, List.of(), end("a", 2))).containsOnlyKeys(Promise.NOT_AFTER_END);
        // It was stopped between its last look and its agent's start: nobody can hinder it.
        assertThat(breaches(
                        tasks,
                        late,
                        List.of(new FaultLog.Entry("stopped", "w", Effect.WORKER_LOST, at(1), at(4))),
                        end("a", 2)))
                .isEmpty();
    }

    @Test
    void atMostOnceIsOverAllAttemptsWhateverWasKilled() {
        assertThat(breaches(
                        List.of(task("a", Kind.AT_MOST_ONCE, "")),
                        List.of(run("a", 1, "w", 0), run("a", 2, "x", 9)),
                        List.of(loss("w", 1))))
                .containsOnlyKeys(Promise.AT_MOST_ONCE);
    }

    @Test
    void ofOneKeyOneTaskMayRun() {
        final List<Task> tasks = List.of(task("a", Kind.KEYED, "k"), task("b", Kind.KEYED, "k"));
        assertThat(breaches(tasks, List.of(run("a", 1, "w", 0)), List.of())).isEmpty();
        assertThat(breaches(tasks, List.of(run("a", 1, "w", 0), run("b", 1, "w", 9)), List.of()))
                .containsOnlyKeys(Promise.KEY_PAID_ONCE);
    }

    @Test
    void whatNobodySubmittedMayNotRun() {
        assertThat(breaches(List.of(), List.of(run("a", 1, "w", 0)), List.of())).containsOnlyKeys(Promise.ONLY_KNOWN);
    }

    private static Map<Promise, List<String>> breaches(
            List<Task> tasks, List<Run> all, List<FaultLog.Entry> faults, TaskEvent... events) {
        final Breaches breaches = new Breaches();
        new RunCheck(new Runs(tasks, all), new Events(List.of(events)), faults, breaches).check(tasks);
        return breaches.found().entrySet().stream()
                .filter(entry -> !entry.getValue().isEmpty())
                .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
    }

    private static Task task(String id, Kind kind, String key) {
        return new Task(id, id, kind, "pool", key);
    }

    private static Run run(String task, int attempt, String worker, int second) {
        return new Run(task, attempt, worker, "1", at(second), Optional.of(at(second + 1)));
    }

    private static FaultLog.Entry loss(String worker, int second) {
        return new FaultLog.Entry("worker killed", worker, Effect.WORKER_LOST, at(second), at(second));
    }

    private static Instant at(int second) {
        return BEGIN.plusSeconds(second);
    }

    /** The end of the first attempt. */
    private static TaskEvent end(String task, int second) {
        try {
            return TaskEvent.parse(
                    """
                    {"task_id": "%s", "event": "completed", "event_id": "e", "attempt": 1, "time": "%s"}
                    """
                            .formatted(task, at(second))
                            .getBytes(StandardCharsets.UTF_8));
        } catch (UnreadableMessageException e) {
            throw new IllegalArgumentException(e);
        }
    }
}
