package dev.codeforge.operator.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.testing.Resources;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Each stored status adds what is new in it, and nothing twice. */
final class TaskMetricsTest {
    private static final String RUNNING =
            """
            {phase: Running, attempts: 1, deliveries: 1, queuedTime: '2026-11-30T10:00:00Z',
             startTime: '2026-11-30T10:00:04Z', effective: {model: fast, runTimeoutSeconds: 60, retry: {}}}
            """;
    private static final String FAILED =
            """
            {phase: Failed, attempts: 1, deliveries: 3, queuedTime: '2026-11-30T10:00:00Z',
             startTime: '2026-11-30T10:00:04Z', effective: {model: fast, runTimeoutSeconds: 60, retry: {}},
             history: [{attempt: 1, startTime: '2026-11-30T10:00:04Z', completionTime: '2026-11-30T10:01:04Z', outcome: Failed}],
             usage: {tokensIn: 10, tokensOut: 5, costUSD: '0.25'},
             error: {type: CommandFailed, message: it failed, retryable: false}}
            """;

    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private final TaskMetrics metrics = new TaskMetrics(registry);
    private final AgentTask task = Resources.task("ns", "task", "pool");

    @Test
    void aTaskThatWaitsForAWorkerAddsItsWaitOnce() {
        stored(RUNNING);
        // The end may put the start a moment later: the clocks of two messages differ.
        stored(FAILED.replace("deliveries: 3", "deliveries: 1").replaceFirst("10:00:04Z", "10:00:04.003Z"));
        assertThat(registry.get("codeforge.task.queue").timer().count()).isEqualTo(1);
        assertThat(registry.get("codeforge.task.queue").timer().totalTime(TimeUnit.SECONDS))
                .isEqualTo(4);
    }

    @Test
    void anEndIsCountedOnceByPhaseAndReason() {
        stored(RUNNING);
        stored(FAILED);
        stored(FAILED);
        assertThat(registry.get("codeforge.tasks.finished")
                        .tags("namespace", "ns", "pool", "pool", "phase", "Failed", "reason", "CommandFailed")
                        .counter()
                        .count())
                .isEqualTo(1);
        assertThat(registry.get("codeforge.task.run")
                        .tags("outcome", "Failed")
                        .timer()
                        .totalTime(TimeUnit.SECONDS))
                .isEqualTo(60);
    }

    @Test
    void runsAfterTheFirstOfAnAttemptFollowALostWorker() {
        stored(RUNNING);
        assertThat(registry.find("codeforge.runs.lost").counter()).isNull();
        stored(FAILED);
        assertThat(registry.get("codeforge.runs.lost").counter().count()).isEqualTo(2);
    }

    @Test
    void aRunThatWasGivenBackAddsNoWaitWhenAnotherWorkerGoesOn() {
        stored(RUNNING);
        stored("{phase: Queued, attempts: 1, deliveries: 1, queuedTime: '2026-11-30T10:00:00Z'}");
        stored(RUNNING.replace("10:00:04Z", "10:05:00Z"));
        assertThat(registry.get("codeforge.task.queue").timer().count()).isEqualTo(1);
    }

    @Test
    void aRunIsNotCountedAgainWhenItsEntryLosesItsWords() {
        stored(FAILED);
        stored(FAILED.replace(
                "outcome: Failed}", "outcome: Failed, podName: '', error: {type: X, message: '', retryable: false}}"));
        assertThat(registry.get("codeforge.task.run").timer().count()).isEqualTo(1);
    }

    @Test
    void usageIsCountedByItsIncrease() {
        stored(FAILED);
        stored(FAILED.replace("tokensIn: 10", "tokensIn: 17").replace("'0.25'", "'0.75'"));
        assertThat(registry.get("codeforge.tokens")
                        .tags("model", "fast", "direction", "in")
                        .counter()
                        .count())
                .isEqualTo(17);
        assertThat(registry.get("codeforge.cost.usd").counter().count()).isEqualTo(0.75);
    }

    @Test
    void namesFromOutsideAreBounded() {
        for (int i = 0; i < 1000; i++) {
            task.setStatus(null);
            stored(FAILED.replace("CommandFailed", "Failure" + i).replace("model: fast", "model: model-" + i));
        }
        assertThat(registry.get("codeforge.tasks.finished").counters()).hasSizeLessThan(100);
        assertThat(registry.get("codeforge.cost.usd").counters()).hasSizeLessThan(100);
        assertThat(registry.get("codeforge.tasks.finished")
                        .tags("reason", "Other")
                        .counter()
                        .count())
                .isGreaterThan(900);
    }

    /** As a reconcile hands it over: the task still has the former status. */
    private void stored(String status) {
        final AgentTaskStatus next = Resources.of(AgentTaskStatus.class, status);
        metrics.status(task, next);
        task.setStatus(next);
    }
}
