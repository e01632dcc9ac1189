package dev.codeforge.jetstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.codeforge.wire.SessionKey;
import dev.codeforge.wire.SessionObject;
import dev.codeforge.wire.SessionRecord;
import dev.codeforge.wire.SessionRecord.History;
import dev.codeforge.wire.SessionRecord.Turn;
import java.time.Duration;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

final class NatsSessionsIT {
    private static final Turn TURN = new Turn("uid-a", "a");
    private static JetStreamFixture jetStream;
    private final SessionKey key =
            new SessionKey("ns", "pool", "talk-" + UUID.randomUUID().toString());

    @BeforeAll
    static void start() throws Exception {
        jetStream = new JetStreamFixture();
    }

    @AfterAll
    static void stop() {
        jetStream.close();
    }

    private Sessions sessions() {
        return jetStream.connections.sessions();
    }

    private Sessions.Entry read() {
        return sessions().read(key).orElseThrow();
    }

    @Test
    void aTurnIsTakenAndItsEndMovesTheConversation() {
        assertThat(sessions().read(key)).isEmpty();
        final SessionRecord taken = SessionRecord.fresh(key.session()).withTurn(TURN);
        assertThat(sessions().write(key, taken, 0)).isTrue();
        assertThat(read().record()).isEqualTo(taken);
        final History history = new History("uid-a", 1, new SessionObject("sessions/s/uid-a-1-1", "digest", 7));
        assertThat(sessions().write(key, taken.ended(Optional.of(history)), read().revision()))
                .isTrue();
        assertThat(read().record()).isEqualTo(new SessionRecord(key.session(), null, history));
    }

    @Test
    void ofTwoThatReadTheSameRevisionOneTakesTheTurn() {
        final SessionRecord free = SessionRecord.fresh(key.session());
        sessions().write(key, free, 0);
        final long revision = read().revision();
        assertThat(sessions().write(key, free.withTurn(TURN), revision)).isTrue();
        assertThat(sessions().write(key, free.withTurn(new Turn("uid-b", "b")), revision))
                .isFalse();
        assertThat(sessions().write(key, free.withTurn(new Turn("uid-b", "b")), 0))
                .isFalse();
        assertThat(read().record().turn()).isEqualTo(TURN);
    }

    @Test
    void theSameNameOnAnotherPoolIsAnotherSession() {
        sessions().write(key, SessionRecord.fresh(key.session()), 0);
        assertThat(sessions().read(new SessionKey("ns", "other", key.session())))
                .isEmpty();
        assertThat(sessions().read(new SessionKey("other", "pool", key.session())))
                .isEmpty();
    }

    @Test
    void aSessionThatNobodyGoesOnWithIsForgottenAfterThirtyDays() throws Exception {
        assertThat(jetStream
                        .management()
                        .getStreamInfo(NatsSessions.STREAM)
                        .getConfiguration()
                        .getMaxAge())
                .isEqualTo(Duration.ofDays(30));
    }

    @Test
    void aSessionThatWasForgottenByHandBeginsAnew() throws Exception {
        sessions().write(key, SessionRecord.fresh(key.session()).withTurn(TURN), 0);
        jetStream.client.keyValue("sessions").delete(key.entry());
        assertThat(sessions().read(key)).isEmpty();
        assertThat(sessions().write(key, SessionRecord.fresh(key.session()), 0)).isTrue();
    }

    @Test
    void anEntryThatNobodyUnderstandsIsNoAbsence() throws Exception {
        jetStream.client.keyValue("sessions").put(key.entry(), "no record");
        assertThatThrownBy(() -> sessions().read(key))
                .isInstanceOf(QueueUnavailableException.class)
                .hasMessageContaining("nats kv del sessions " + key.entry());
    }
}
