package dev.codeforge.jetstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.codeforge.testing.Events;
import dev.codeforge.testing.Resources;
import dev.codeforge.wire.LedgerKey;
import dev.codeforge.wire.LedgerRecord;
import dev.codeforge.wire.SessionKey;
import dev.codeforge.wire.SessionObject;
import dev.codeforge.wire.SessionRecord;
import dev.codeforge.wire.SessionRecord.History;
import dev.codeforge.wire.SessionRecord.Turn;
import dev.codeforge.wire.TaskEvent;
import java.time.Duration;
import java.time.Instant;
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

final class CasBucketIT {
    private static JetStreamFixture jetStream;
    private final String key = LedgerKey.of("cluster", "ns", "key with spaces/" + UUID.randomUUID());
    private final SessionKey session = new SessionKey("ns", "pool", "talk-" + UUID.randomUUID());

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
        assertThat(ledger().read(key)).isEmpty();
        final long claimed = ledger().write(key, claim("a"), 0).orElseThrow();
        assertThat(ledger().read(key).orElseThrow().record()).isEqualTo(claim("a"));
        assertThat(ledger().read(key).orElseThrow().revision()).isEqualTo(claimed);
        assertThat(ledger().read(key).orElseThrow().written())
                .isBetween(Instant.now().minusSeconds(60), Instant.now().plusSeconds(1));
        final TaskEvent outcome = Events.of(Resources.task("ns", "a", "pool"), TaskEvent.Kind.COMPLETED);
        final LedgerRecord done = new LedgerRecord("a", "ns", "pool", "task-a", "hash", outcome);
        final long ended = ledger().write(key, done, claimed).orElseThrow();
        assertThat(ledger().read(key).orElseThrow().record()).isEqualTo(done);
        assertThat(ledger().read(key).orElseThrow().revision()).isEqualTo(ended);
    }

    @Test
    void ofManyAtOnceOneClaims() throws Exception {
        final List<Callable<Optional<Long>>> claims = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            final LedgerRecord claim = claim("task-" + i);
            claims.add(() -> ledger().write(key, claim, 0));
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
        final long first = ledger().write(key, claim("a"), 0).orElseThrow();
        assertThat(ledger().write(key, claim("b"), first)).isPresent();
        assertThat(ledger().write(key, claim("c"), first)).isEmpty();
        assertThat(ledger().read(key).orElseThrow().record()).isEqualTo(claim("b"));
    }

    @Test
    void aReleasedKeyIsFreeAgain() {
        final long revision = ledger().write(key, claim("a"), 0).orElseThrow();
        ledger().delete(key, revision);
        assertThat(ledger().read(key)).isEmpty();
        assertThat(ledger().write(key, claim("b"), 0)).isPresent();
        assertThat(ledger().write(key, claim("c"), 0)).isEmpty();
    }

    @Test
    void aKeyThatSomebodyFreedIsToldFromOneThatIsForgotten() throws Exception {
        assertThat(ledger().isFreed(key)).isFalse();
        ledger().write(key, claim("a"), 0).orElseThrow();
        assertThat(ledger().isFreed(key)).isFalse();
        jetStream.client.keyValue("ledger").delete(key);
        assertThat(ledger().isFreed(key)).isTrue();
        ledger().write(key, claim("b"), 0).orElseThrow();
        assertThat(ledger().isFreed(key)).isFalse();
    }

    @Test
    void anothersEntryAndNoneAreNotReleased() {
        final long old = ledger().write(key, claim("a"), 0).orElseThrow();
        ledger().write(key, claim("b"), old).orElseThrow();
        ledger().delete(key, old);
        assertThat(ledger().read(key).orElseThrow().record()).isEqualTo(claim("b"));
        ledger().delete("never-claimed", 5);
        assertThat(ledger().read("never-claimed")).isEmpty();
    }

    @Test
    void peopleSeeAndReleaseAKeyAsOfAnyBucket() throws Exception {
        ledger().write(key, claim("a"), 0).orElseThrow();
        final var bucket = jetStream.client.keyValue("ledger");
        assertThat(LedgerRecord.parse(bucket.get(key).getValue())).isEqualTo(claim("a"));
        bucket.delete(key);
        assertThat(ledger().read(key)).isEmpty();
        assertThat(ledger().write(key, claim("b"), 0)).isPresent();
    }

    @Test
    void anEntryThatNobodyUnderstandsIsNoAbsence() throws Exception {
        jetStream.client.keyValue("ledger").put(key, "no record");
        assertThatThrownBy(() -> ledger().read(key))
                .isInstanceOf(QueueUnavailableException.class)
                .hasMessageContaining("nats kv del ledger " + key);
    }

    @Test
    void aMissingBucketIsNoAbsence() throws Exception {
        try (JetStreamFixture empty = new JetStreamFixture()) {
            empty.management().deleteStream(CasBucket.LEDGER.stream());
            final CasBucket<LedgerRecord> ledger = empty.connections.ledger();
            assertThatThrownBy(() -> ledger.read(key)).isInstanceOf(QueueUnavailableException.class);
            assertThatThrownBy(() -> ledger.write(key, claim("a"), 0)).isInstanceOf(QueueUnavailableException.class);
        }
    }

    @Test
    void aTurnIsTakenAndItsEndMovesTheConversation() {
        final SessionRecord taken = SessionRecord.fresh(session.session()).withTurn(new Turn("uid-a", "a"));
        final long revision = sessions().write(session.entry(), taken, 0).orElseThrow();
        final History history = new History("uid-a", 1, new SessionObject("sessions/s/uid-a-1-1", "digest", 7));
        sessions()
                .write(session.entry(), taken.ended(Optional.of(history)), revision)
                .orElseThrow();
        assertThat(sessions().read(session.entry()).orElseThrow().record())
                .isEqualTo(new SessionRecord(session.session(), null, history));
    }

    @Test
    void theSameNameOnAnotherPoolIsAnotherSession() {
        sessions().write(session.entry(), SessionRecord.fresh(session.session()), 0);
        assertThat(sessions().read(new SessionKey("ns", "other", session.session()).entry()))
                .isEmpty();
        assertThat(sessions().read(new SessionKey("other", "pool", session.session()).entry()))
                .isEmpty();
    }

    @Test
    void keysAreForgottenThirtyDaysAfterTheirLastWriteAndSettingsNever() throws Exception {
        assertThat(jetStream.client.keyValue("ledger").getStatus().getTtl()).isEqualTo(Duration.ofDays(30));
        assertThat(jetStream.client.keyValue("sessions").getStatus().getTtl()).isEqualTo(Duration.ofDays(30));
        assertThat(jetStream.client.keyValue("config").getStatus().getTtl()).isEqualTo(Duration.ZERO);
    }

    private static CasBucket<SessionRecord> sessions() {
        return jetStream.connections.sessions();
    }

    private static CasBucket<LedgerRecord> ledger() {
        return jetStream.connections.ledger();
    }

    private static LedgerRecord claim(String uid) {
        return new LedgerRecord(uid, "ns", "pool", "task-" + uid, "hash", null);
    }
}
