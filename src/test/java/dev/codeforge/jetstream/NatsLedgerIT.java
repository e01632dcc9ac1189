package dev.codeforge.jetstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.codeforge.testing.Events;
import dev.codeforge.testing.Resources;
import dev.codeforge.wire.LedgerKey;
import dev.codeforge.wire.LedgerRecord;
import dev.codeforge.wire.TaskEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

final class NatsLedgerIT {
    private static JetStreamFixture jetStream;
    private final String key = "key with spaces/" + UUID.randomUUID();

    @BeforeAll
    static void start() throws Exception {
        jetStream = new JetStreamFixture();
    }

    @AfterAll
    static void stop() {
        jetStream.close();
    }

    @Test
    void aClaimIsReadBackAndBecomesAnOutcome() {
        assertThat(ledger().read("ns", key)).isEmpty();
        final long claimed = ledger().write("ns", key, claim("a"), 0).orElseThrow();
        assertThat(ledger().read("ns", key)).contains(new Ledger.Entry(claim("a"), claimed));
        final TaskEvent outcome = Events.of(Resources.task("ns", "a", "pool"), TaskEvent.Kind.COMPLETED);
        final LedgerRecord done = new LedgerRecord("a", "ns", "pool", "task-a", "hash", outcome);
        final long ended = ledger().write("ns", key, done, claimed).orElseThrow();
        assertThat(ledger().read("ns", key)).contains(new Ledger.Entry(done, ended));
        assertThat(ledger().read("other", key)).isEmpty();
    }

    @Test
    void ofManyAtOnceOneClaims() throws Exception {
        final List<Callable<Optional<Long>>> claims = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            final LedgerRecord claim = claim("task-" + i);
            claims.add(() -> ledger().write("ns", key, claim, 0));
        }
        int won = 0;
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (final Future<Optional<Long>> claim : threads.invokeAll(claims)) {
                won += claim.get().isPresent() ? 1 : 0;
            }
        }
        assertThat(won).isEqualTo(1);
    }

    @Test
    void onlyTheRevisionThatWasReadIsReplaced() {
        final long first = ledger().write("ns", key, claim("a"), 0).orElseThrow();
        assertThat(ledger().write("ns", key, claim("b"), first)).isPresent();
        assertThat(ledger().write("ns", key, claim("c"), first)).isEmpty();
        assertThat(ledger().read("ns", key).orElseThrow().record()).isEqualTo(claim("b"));
    }

    @Test
    void aReleasedKeyIsFreeAgain() {
        final long revision = ledger().write("ns", key, claim("a"), 0).orElseThrow();
        ledger().release("ns", key, revision);
        assertThat(ledger().read("ns", key)).isEmpty();
        assertThat(ledger().write("ns", key, claim("b"), 0)).isPresent();
        assertThat(ledger().write("ns", key, claim("c"), 0)).isEmpty();
    }

    @Test
    void anothersEntryAndNoneAreNotReleased() {
        final long old = ledger().write("ns", key, claim("a"), 0).orElseThrow();
        ledger().write("ns", key, claim("b"), old).orElseThrow();
        ledger().release("ns", key, old);
        assertThat(ledger().read("ns", key).orElseThrow().record()).isEqualTo(claim("b"));
        ledger().release("ns", "never claimed", 5);
        assertThat(ledger().read("ns", "never claimed")).isEmpty();
    }

    @Test
    void peopleSeeAndReleaseAKeyAsOfAnyBucket() throws Exception {
        ledger().write("ns", key, claim("a"), 0).orElseThrow();
        final var bucket = jetStream.client.keyValue("ledger");
        final String name = LedgerKey.of("ns", key);
        assertThat(LedgerRecord.parse(bucket.get(name).getValue())).isEqualTo(claim("a"));
        bucket.delete(name);
        assertThat(ledger().read("ns", key)).isEmpty();
        assertThat(ledger().write("ns", key, claim("b"), 0)).isPresent();
    }

    @Test
    void anEntryThatNobodyUnderstandsIsNoAbsence() throws Exception {
        jetStream.client.keyValue("ledger").put(LedgerKey.of("ns", key), "no record");
        assertThatThrownBy(() -> ledger().read("ns", key))
                .isInstanceOf(QueueUnavailableException.class)
                .hasMessageContaining("nats kv del ledger " + LedgerKey.of("ns", key));
    }

    @Test
    void aMissingBucketIsNoAbsence() throws Exception {
        try (JetStreamFixture empty = new JetStreamFixture()) {
            empty.management().deleteStream(NatsLedger.STREAM);
            final Ledger ledger = empty.connections.ledger();
            assertThatThrownBy(() -> ledger.read("ns", key)).isInstanceOf(QueueUnavailableException.class);
            assertThatThrownBy(() -> ledger.write("ns", key, claim("a"), 0))
                    .isInstanceOf(QueueUnavailableException.class);
        }
    }

    private static Ledger ledger() {
        return jetStream.connections.ledger();
    }

    private static LedgerRecord claim(String uid) {
        return new LedgerRecord(uid, "ns", "pool", "task-" + uid, "hash", null);
    }
}
