package dev.codeforge.console.hub;

import static dev.codeforge.console.hub.Tail.Verdict.GAP;
import static dev.codeforge.console.hub.Tail.Verdict.KNOWN;
import static dev.codeforge.console.hub.Tail.Verdict.NEXT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.jetstream.LiveStreams.Entry;
import dev.codeforge.wire.TaskRef;
import org.junit.jupiter.api.Test;

final class TailTest {
    private final Tail tail = new Tail();

    @Test
    void whatFollowsIsPassedOnOnce() {
        begun(4);
        assertThat(tail.hear(entry(5, 4))).isEqualTo(NEXT);
        assertThat(tail.hear(entry(5, 4))).isEqualTo(KNOWN);
        assertThat(tail.hear(entry(9, 5))).isEqualTo(NEXT);
        assertThat(tail.last()).isEqualTo(9);
    }

    @Test
    void whatIsHeardBeforeTheBeginningIsKnownIsRead() {
        assertThat(tail.hear(entry(5, 4))).isEqualTo(KNOWN);
        tail.beginAt(4, tail.beginReading());
        assertThat(tail.endReading()).isFalse();
        assertThat(tail.read(entry(5, 4))).isTrue();
        assertThat(tail.endReading()).isTrue();
    }

    @Test
    void afterAGapAllIsReadAndNothingComesTwice() {
        begun(4);
        assertThat(tail.hear(entry(7, 6))).isEqualTo(GAP);
        assertThat(tail.hear(entry(8, 7))).isEqualTo(KNOWN);
        assertThat(tail.read(entry(5, 4))).isTrue();
        assertThat(tail.endReading()).isFalse();
        assertThat(tail.read(entry(5, 4))).isFalse();
        assertThat(tail.read(entry(8, 5))).isTrue();
        assertThat(tail.endReading()).isTrue();
        assertThat(tail.hear(entry(9, 8))).isEqualTo(NEXT);
    }

    @Test
    void aStreamThatIsMadeAnewBeginsAnew() {
        begun(40);
        tail.beginAt(0, tail.beginReading());
        assertThat(tail.endReading()).isTrue();
        assertThat(tail.hear(entry(1, 0))).isEqualTo(NEXT);
    }

    @Test
    void anEndThatWasToldLateIsNoStreamMadeAnew() {
        begun(40);
        final long before = tail.beginReading();
        assertThat(tail.endReading()).isTrue();
        assertThat(tail.hear(entry(41, 40))).isEqualTo(NEXT);
        tail.beginAt(40, before);
        assertThat(tail.read(entry(41, 40))).isFalse();
    }

    @Test
    void ofTwoWhoReadOneBeginsAnew() {
        begun(40);
        final long before = tail.beginReading();
        tail.beginAt(0, before);
        assertThat(tail.read(entry(1, 0))).isTrue();
        tail.beginAt(0, before);
        assertThat(tail.read(entry(1, 0))).isFalse();
    }

    private void begun(long last) {
        tail.beginAt(last, tail.beginReading());
        tail.endReading();
    }

    private static Entry entry(long sequence, long previous) {
        return new Entry(new TaskRef("team", "pool", "task"), sequence, previous, new byte[0]);
    }
}
