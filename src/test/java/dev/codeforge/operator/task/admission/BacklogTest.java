package dev.codeforge.operator.task.admission;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.operator.status.Reason;
import dev.codeforge.operator.task.status.StatusTransition;
import dev.codeforge.testing.InMemoryCache;
import dev.codeforge.testing.Resources;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Who may try to publish into a queue that was full. */
final class BacklogTest {
    private static final ResourceID POOL = new ResourceID("pool", "ns");
    private static final StatusTransition FULL = new StatusTransition.Waiting(Reason.QueueFull, "full");
    private static final StatusTransition PUBLISHED =
            new StatusTransition.Queued(1, "tasks_ns_pool", 7, Optional.empty());

    private final InMemoryCache<AgentTask> cache = new InMemoryCache<>(Map.of());
    private final Backlog backlog = new Backlog().in(cache);
    private final AgentTask first = waiting("first", 1);
    private final AgentTask second = waiting("second", 2);
    private final AgentTask third = waiting("third", 3);

    private AgentTask waiting(String name, int second) {
        return stored(
                created(name, second),
                "{observedGeneration: 1, phase: Pending, conditions: [{type: Ready, status: 'False', reason: QueueFull}]}");
    }

    private static AgentTask created(String name, int second) {
        final AgentTask task = Resources.task("ns", name, "pool");
        task.getMetadata().setCreationTimestamp("2026-11-24T09:00:0" + second + "Z");
        return task;
    }

    private AgentTask stored(AgentTask task, String status) {
        task.setStatus(Resources.of(AgentTaskStatus.class, status));
        cache.put(task);
        return task;
    }

    private void storedAsQueued(AgentTask task) {
        stored(task, "{observedGeneration: 1, phase: Queued, attempts: 1}");
    }

    @Test
    void roomIsOfferedToTheOldest() {
        assertThat(backlog.offer(POOL, 2)).containsExactly(first, second);
    }

    @Test
    void roomIsOfferedToNobodyTwice() {
        backlog.offer(POOL, 1);
        assertThat(backlog.offer(POOL, 1)).containsExactly(second);
    }

    @Test
    void withoutRoomEachRests() {
        assertThat(backlog.offer(POOL, 0)).isEmpty();
        assertThat(backlog.rests(first)).isTrue();
    }

    @Test
    void anotherPoolsRoomIsNotTheirs() {
        assertThat(backlog.offer(new ResourceID("other", "ns"), 8)).isEmpty();
        assertThat(backlog.offer(new ResourceID("pool", "other"), 8)).isEmpty();
    }

    @Test
    void whoIsOfferedRoomDoesNotRestUntilItFoundNone() {
        backlog.offer(POOL, 1);
        assertThat(backlog.rests(first)).isFalse();
        assertThat(backlog.tried(first, FULL)).isEmpty();
        assertThat(backlog.rests(first)).isTrue();
        assertThat(backlog.offer(POOL, 1)).containsExactly(first);
    }

    @Test
    void whoFindsRoomLetsTheNextTry() {
        backlog.offer(POOL, 1);
        // The cache does not show it yet.
        assertThat(backlog.tried(first, PUBLISHED)).containsExactly(second);
        storedAsQueued(first);
        assertThat(backlog.offer(POOL, 1)).containsExactly(third);
    }

    @Test
    void whoComesBackIsOfferedRoomAnew() {
        backlog.offer(POOL, 1);
        backlog.tried(first, PUBLISHED);
        storedAsQueued(first);
        backlog.offer(POOL, 1);
        stored(
                first,
                "{observedGeneration: 1, phase: Pending, conditions: [{type: Ready, status: 'False', reason: QueueFull}]}");
        assertThat(backlog.offer(POOL, 1)).containsExactly(first);
    }

    @Test
    void theRoomOfAPoolIsOfferedOnce() {
        assertThat(backlog.offerAll(POOL, 1)).containsExactly(first);
        assertThat(backlog.offerAll(POOL, 1)).isEmpty();
        assertThat(backlog.offerAll(POOL, 2)).containsExactly(second);
    }

    @Test
    void aPublishedTaskTakesNoneOfTheRoomThatIsLeft() {
        backlog.offerAll(POOL, 1);
        assertThat(backlog.tried(first, PUBLISHED)).containsExactly(second);
        assertThat(backlog.offerAll(POOL, 2)).containsExactly(third);
    }

    @Test
    void theOldestThatFindsNoRoomTriesAgainInPlaceOfTheYoungest() {
        backlog.offer(POOL, 3);
        assertThat(backlog.tried(first, FULL)).containsExactly(first);
        assertThat(backlog.rests(first)).isFalse();
        assertThat(backlog.rests(second)).isFalse();
        assertThat(backlog.rests(third)).isTrue();
    }

    @Test
    void eachTryThatFindsNoRoomUsesUpAnOffer() {
        backlog.offer(POOL, 3);
        assertThat(backlog.tried(second, FULL)).containsExactly(second);
        assertThat(backlog.tried(second, FULL)).isEmpty();
        assertThat(backlog.tried(first, FULL)).isEmpty();
        assertThat(List.of(first, second, third)).allMatch(backlog::rests);
    }

    @Test
    void aPublishedTaskDoesNotRestUntilItsStatusIsStored() {
        backlog.offer(POOL, 1);
        assertThat(backlog.tried(first, PUBLISHED)).containsExactly(second);
        assertThat(backlog.rests(first)).isFalse();
        // Its status could not be written, so it is reconciled again.
        assertThat(backlog.tried(first, PUBLISHED)).isEmpty();
        storedAsQueued(first);
        assertThat(backlog.rests(first)).isFalse();
    }

    @Test
    void aNewTaskIsNotBehindAPublishedOne() {
        backlog.tried(first, PUBLISHED);
        backlog.tried(second, PUBLISHED);
        assertThat(backlog.isBehind(created("new", 4))).isTrue();
        backlog.tried(third, PUBLISHED);
        assertThat(backlog.isBehind(created("new", 4))).isFalse();
    }

    @Test
    void aTaskThatTheCacheHasSeenComeBackIsFree() {
        backlog.tried(first, PUBLISHED);
        // In place of the second, to which room was offered.
        assertThat(backlog.tried(first, FULL)).containsExactly(first);
        assertThat(backlog.tried(first, FULL)).isEmpty();
        assertThat(backlog.offer(POOL, 1)).containsExactly(first);
    }

    @Test
    void aTaskThatNeverWaitedOffersRoomToNobody() {
        assertThat(backlog.tried(created("new", 4), PUBLISHED)).isEmpty();
    }

    @Test
    void aChangedSpecIsNoRest() {
        first.getMetadata().setGeneration(2L);
        assertThat(backlog.rests(first)).isFalse();
    }

    @Test
    void whatIsHeardOfATaskEndsItsRest() {
        backlog.offer(second);
        assertThat(backlog.rests(second)).isFalse();
        assertThat(backlog.offer(POOL, 2)).containsExactly(first, third);
    }

    @Test
    void aNewTaskIsBehindThoseThatWait() {
        assertThat(backlog.isBehind(created("new", 4))).isTrue();
        assertThat(backlog.isBehind(created("older", 0))).isFalse();
        assertThat(backlog.isBehind(first)).isFalse();
    }
}
