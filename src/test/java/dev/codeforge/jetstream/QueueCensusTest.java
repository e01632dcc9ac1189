package dev.codeforge.jetstream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.jetstream.TaskQueue.QueuedTask;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

final class QueueCensusTest {
    @Test
    void aQueueWithoutDeadOnesIsLeftAlone() {
        final QueueCensus census = new QueueCensus(0, 2, standing(1, 2));
        assertThat(census.toAsk()).isEmpty();
        assertThat(census.exhausted(Set.of())).isEmpty();
    }

    @Test
    void whenNothingIsInHandAllThatWasHandedOutIsDead() {
        final QueueCensus census = new QueueCensus(2, 0, standing(1, 4));
        assertThat(census.toAsk()).isEmpty();
        assertThat(census.exhausted(Set.of())).containsExactlyInAnyOrder(1L, 4L);
    }

    @Test
    void thoseThatNobodyHoldsAreDeadWhenTheirNumberAgrees() {
        final QueueCensus census = new QueueCensus(1, 2, standing(1, 2, 3));
        assertThat(census.toAsk()).hasSize(3);
        assertThat(census.exhausted(Set.of(1L, 3L))).containsExactly(2L);
    }

    @Test
    void oneThatWaitsForItsNextDeliveryIsNotTakenForDead() {
        final QueueCensus census = new QueueCensus(1, 2, standing(1, 2, 3));
        assertThat(census.exhausted(Set.of(3L))).isEmpty();
        assertThat(census.exhausted(Set.of())).isEmpty();
    }

    @Test
    void aDeadOneWhoseHolderIsStillAtItIsLeftToIt() {
        final QueueCensus census = new QueueCensus(1, 1, standing(1, 2));
        assertThat(census.exhausted(Set.of(1L, 2L))).isEmpty();
    }

    @Test
    void partOfAVeryLongQueueTellsOnlyWhenNothingIsInHand() {
        assertThat(new QueueCensus(5, 0, standing(1, 2)).exhausted(Set.of())).containsExactlyInAnyOrder(1L, 2L);
        final QueueCensus busy = new QueueCensus(2, 5, standing(1, 2, 3));
        assertThat(busy.toAsk()).isEmpty();
        assertThat(busy.exhausted(Set.of(1L))).isEmpty();
    }

    @Test
    void countsThatContradictEachOtherTellNothing() {
        assertThat(new QueueCensus(1, 0, standing(1, 2)).exhausted(Set.of())).isEmpty();
        assertThat(new QueueCensus(-1, 2, standing(1)).exhausted(Set.of())).isEmpty();
        assertThat(new QueueCensus(1, 1, standing(1, 2, 3)).exhausted(Set.of(1L, 2L)))
                .isEmpty();
    }

    private static List<QueuedTask> standing(long... sequences) {
        return LongStream.of(sequences)
                .mapToObj(sequence -> new QueuedTask(sequence, "task-" + sequence, Instant.EPOCH))
                .toList();
    }
}
