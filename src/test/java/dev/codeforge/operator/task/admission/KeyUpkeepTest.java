package dev.codeforge.operator.task.admission;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.jetstream.CasBucket;
import dev.codeforge.operator.task.Seen;
import dev.codeforge.operator.task.status.EventToStatus;
import dev.codeforge.testing.Events;
import dev.codeforge.wire.LedgerRecord;
import dev.codeforge.wire.TaskEvent;
import dev.codeforge.wire.TaskEvent.Kind;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** A key is remembered while a task with it is there. */
final class KeyUpkeepTest {
    private static final Duration OLD = Duration.ofDays(8);
    private static final Duration FRESH = Duration.ofDays(6);

    private final Seen ended = Seen.task("idempotencyKey: k")
            .between(
                    "Succeeded",
                    1,
                    "podName: worker-0, completionTime: '2026-11-24T10:00:00Z', result: {output: hello, summary: done,"
                            + " files: [a.txt], filesTotal: 60, artifactsProblem: a large file is left out,"
                            + " artifacts: [{name: a.txt, size: 3, digest: d, object: o}],"
                            + " git: {baseCommit: a, branch: b, commit: c, pushed: true}}");

    @Test
    void anEndIsWrittenAgainBeforeItAgesOut() {
        final LedgerRecord end = record("other", Events.of(ended.task, Kind.FAILED));
        assertThat(due(ended, end, OLD)).contains(end);
        assertThat(due(ended, end, FRESH)).isEmpty();
    }

    @Test
    void aClaimIsWrittenAgainByItsOwnTaskUntilThatHasEnded() {
        final Seen running = Seen.task("idempotencyKey: k").running(1);
        final LedgerRecord own = ClaimPlanner.claim(running.task);
        assertThat(due(running, own, OLD)).contains(own);
        assertThat(due(running, record("other", null), OLD)).isEmpty();
        assertThat(due(ended, ClaimPlanner.claim(ended.task), OLD)).isEmpty();
    }

    @Test
    void whatStandsForOtherWorkIsNotThisTasksToKeep() {
        final LedgerRecord other =
                new LedgerRecord("other", "ns", "pool", "other", "another hash", Events.of(ended.task, Kind.COMPLETED));
        assertThat(due(ended, other, OLD)).isEmpty();
    }

    @Test
    void anEndThatNatsHasLostIsToldByTheStatus() {
        final TaskEvent end = due(ended).orElseThrow().outcome();
        assertThat(end.kind()).isEqualTo(Kind.COMPLETED);
        assertThat(EventToStatus.result(end)).isEqualTo(ended.task.getStatus().result());
        assertThat(end.time()).isEqualTo("2026-11-24T10:00:00Z");
    }

    @Test
    void aFailureAndACancellationAreToldByTheStatusToo() {
        final Seen failed = Seen.task("idempotencyKey: k")
                .between(
                        "Failed",
                        1,
                        "podName: worker-0, completionTime: '2026-11-24T10:00:00Z', error: {type: CommandFailed, message: exit code 1, retryable: true}");
        assertThat(due(failed).orElseThrow().outcome().failureType()).isEqualTo("CommandFailed");
        final Seen cancelled = Seen.task("idempotencyKey: k")
                .between(
                        "Cancelled", 0, "completionTime: '2026-11-24T10:00:00Z', error: {type: Cancelled, message: m}");
        assertThat(due(cancelled).orElseThrow().outcome().kind()).isEqualTo(Kind.CANCELLED);
    }

    @Test
    void anEndThatWasTakenOverIsToldByWhoHasItNow() {
        final Seen adopted = Seen.task("idempotencyKey: k");
        adopted.status(adopted.ledger(record("other", Events.failed(adopted.task, "CommandFailed", "exit code 1")), 3)
                .said());
        assertThat(due(adopted).orElseThrow().outcome().failureType()).isEqualTo("CommandFailed");
    }

    @Test
    void aFailureBeforeAnyRunIsStillNone() {
        final Seen late = Seen.task("idempotencyKey: k")
                .between(
                        "Failed", 1, "completionTime: '2026-11-24T10:00:00Z', error: {type: QueueTimeout, message: m}");
        assertThat(due(late)).isEmpty();
    }

    @Test
    void aClaimThatNatsHasLostIsWrittenAnewByWhoWasPublished() {
        final Seen queued = Seen.task("idempotencyKey: k").queued(1);
        assertThat(due(queued)).contains(ClaimPlanner.claim(queued.task));
        assertThat(due(Seen.task("idempotencyKey: k"))).isEmpty();
    }

    @Test
    void aTaskThatIsToRunAgainTellsNoEnd() {
        final Seen rerun = Seen.task("idempotencyKey: k, rerun: 1")
                .between("Failed", 1, "podName: worker-0, completionTime: '2026-11-24T10:00:00Z'");
        assertThat(due(rerun)).contains(ClaimPlanner.claim(rerun.task));
    }

    private static LedgerRecord record(String uid, TaskEvent outcome) {
        return new LedgerRecord(
                uid,
                "ns",
                "pool",
                "other",
                SpecHash.of(Seen.task("idempotencyKey: k").task.getSpec()),
                outcome);
    }

    private static Optional<LedgerRecord> due(Seen seen, LedgerRecord record, Duration age) {
        return KeyUpkeep.due(seen.task, Optional.of(new CasBucket.Entry<>(record, 3, Seen.NOW.minus(age))), Seen.NOW);
    }

    private static Optional<LedgerRecord> due(Seen seen) {
        return KeyUpkeep.due(seen.task, Optional.empty(), Seen.NOW);
    }
}
