package dev.codeforge.operator.task.admission;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.AgentTask;
import dev.codeforge.operator.results.DeletedTaskEnd;
import dev.codeforge.operator.results.OperatorEvents;
import dev.codeforge.operator.task.Seen;
import dev.codeforge.operator.task.status.EffectiveSettings;
import dev.codeforge.operator.task.status.StatusTransition;
import dev.codeforge.operator.task.status.StopReason;
import dev.codeforge.testing.Events;
import dev.codeforge.testing.ServedPool;
import dev.codeforge.wire.LedgerKey;
import dev.codeforge.wire.LedgerRecord;
import dev.codeforge.wire.TaskEvent;
import dev.codeforge.wire.TaskEvent.Kind;
import io.nats.client.PurgeOptions;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The ledger on a real NATS, whose clock the test moves. */
final class TaskLedgerIT {
    private final AgentTask task = Seen.task("idempotencyKey: k").task;
    private final String key = LedgerKey.of(ServedPool.INSTALLATION, "ns", "k");
    private Duration later = Duration.ZERO;
    private ServedPool pool;
    private TaskLedger ledger;

    @BeforeEach
    void start() throws Exception {
        pool = new ServedPool();
        pool.connections.ledger().ensure();
        final Clock clock = ((InstantSource) () -> Instant.now().plus(later)).withZone(ZoneOffset.UTC);
        ledger = new TaskLedger(
                pool.connections,
                new OwnerTakeover(
                        null,
                        pool.connections,
                        new DeletedTaskEnd(pool.connections, new OperatorEvents(pool.key, clock))),
                ServedPool.INSTALLATION,
                clock);
    }

    @AfterEach
    void stop() {
        pool.close();
    }

    @Test
    void eachEndIsRecordedAndAFailureBeforeAnyRunFreesTheKey() {
        claim();
        ledger.settle(task, new StatusTransition.Ended(Events.failed(task, "CommandFailed", "exit code 1")));
        assertThat(outcome().failureType()).isEqualTo("CommandFailed");
        pool.connections.ledger().delete(key, revision());
        claim();
        ledger.settle(
                task,
                new StatusTransition.Closed(false, StopReason.queueTimeout(1).failure()));
        assertThat(pool.connections.ledger().read(key)).isEmpty();
    }

    @Test
    void anEntryIsWrittenAgainWhenItIsAWeekOldAndNotBefore() {
        record();
        final long before = revision();
        later = Duration.ofDays(6);
        assertThat(ledger.renew(task)).isFalse();
        assertThat(revision()).isEqualTo(before);
        later = Duration.ofDays(8);
        assertThat(ledger.renew(task)).isTrue();
        assertThat(revision()).isGreaterThan(before);
        assertThat(outcome().kind()).isEqualTo(Kind.COMPLETED);
    }

    @Test
    void whatNatsHasLostIsWrittenAnewFromTheStatus() throws Exception {
        record();
        task.setStatus(Seen.task("idempotencyKey: k")
                .between(
                        "Succeeded",
                        1,
                        "podName: worker-0, completionTime: '2026-11-24T10:00:00Z', result: {output: hello}")
                .task
                .getStatus());
        pool.client.jetStreamManagement().purgeStream("KV_ledger", PurgeOptions.subject("$KV.ledger." + key));
        assertThat(ledger.renew(task)).isTrue();
        assertThat(outcome().output()).isEqualTo("hello");
        assertThat(ledger.renew(task)).isFalse();
    }

    @Test
    void aKeyThatSomebodyHasFreedStaysFree() throws Exception {
        record();
        task.setStatus(Seen.task("idempotencyKey: k")
                .between("Succeeded", 1, "podName: worker-0, completionTime: '2026-11-24T10:00:00Z'")
                .task
                .getStatus());
        pool.client.keyValue("ledger").delete(key);
        assertThat(ledger.renew(task)).isFalse();
        assertThat(pool.connections.ledger().read(key)).isEmpty();
    }

    @Test
    void anEndThatIsTakenOverIsFreshAgain() {
        record();
        final long before = revision();
        ledger.settle(task, new StatusTransition.Adopted(outcome(), "other"));
        assertThat(revision()).isEqualTo(before);
        later = Duration.ofDays(8);
        ledger.settle(task, new StatusTransition.Adopted(outcome(), "other"));
        assertThat(revision()).isGreaterThan(before);
    }

    @Test
    void theWorkerOfADeletedOwnerIsAskedToStopBeforeItsKeyIsTaken() throws Exception {
        claim();
        pool.report(Events.of(task, Kind.RUNNING, 1, 1));
        final List<String> orders = pool.answerControl(
                task,
                "{\"worker\": \"worker-0\", \"accepted\": true}",
                () -> pool.report(Events.cancelled(task, 1, "TaskDeleted")));
        final LedgerRecord before =
                pool.connections.ledger().read(key).orElseThrow().record();
        final AgentTask next = Seen.task("idempotencyKey: k").task;
        next.getMetadata().setUid("f8a0c1de-4b0e-4a67-9a4e-0d1f0d3c2b1a");
        final LedgerRecord claim = ClaimPlanner.claim(next);
        ledger.takeOver(
                next,
                new Admission.TakeOver(
                        before,
                        claim,
                        revision(),
                        ServedPool.STREAM,
                        "",
                        EffectiveSettings.of(next, Optional.empty()).retry()));
        assertThat(orders).singleElement().asString().contains("\"TaskDeleted\"");
        // The worker's own end: the operator has waited for it.
        assertThat(pool.events()).isEqualTo(2);
        assertThat(pool.lastEvent(task.uid()).orElseThrow().failure().type()).isEqualTo("TaskDeleted");
        assertThat(pool.connections.ledger().read(key).orElseThrow().record()).isEqualTo(claim);
    }

    private void claim() {
        ledger.claim(task, new Admission.Claim(ClaimPlanner.claim(task), 0));
    }

    private void record() {
        ledger.settle(task, new StatusTransition.Ended(Events.of(task, Kind.COMPLETED)));
    }

    private TaskEvent outcome() {
        return pool.connections.ledger().read(key).orElseThrow().record().outcome();
    }

    private long revision() {
        return pool.connections.ledger().read(key).orElseThrow().revision();
    }
}
