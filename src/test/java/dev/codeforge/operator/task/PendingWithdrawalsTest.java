package dev.codeforge.operator.task;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.testing.Resources;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class PendingWithdrawalsTest {
    private final List<String> withdrawn = new ArrayList<>();
    private final PendingWithdrawals deletions =
            new PendingWithdrawals(pool -> withdrawn.add(pool.getMetadata().getName()));
    private final AgentTask running = Seen.task("").queued(1).running(1).task;
    private final AgentTask queued = Resources.task("ns", "queued", "pool");

    @Test
    void aRunIsEndedAfterWhatWaitsForOtherDeletedTasksIsWithdrawn() {
        deletions.begun(queued);
        deletions.begun(running);
        deletions.beforeItsEnd(running, pool());
        assertThat(withdrawn).containsExactly("pool");
    }

    @Test
    void aRunDeletedAloneNeedsNoLookAtTheQueue() {
        deletions.begun(running);
        deletions.begun(running);
        deletions.beforeItsEnd(running, pool());
        assertThat(withdrawn).isEmpty();
    }

    @Test
    void aDeletionThatIsDoneHoldsNobody() {
        deletions.begun(queued);
        deletions.ended(queued);
        deletions.begun(running);
        deletions.beforeItsEnd(running, pool());
        assertThat(withdrawn).isEmpty();
    }

    @Test
    void whatDoesNotRunFreesNoWorker() {
        deletions.begun(queued);
        deletions.begun(running);
        deletions.beforeItsEnd(queued, pool());
        assertThat(withdrawn).isEmpty();
    }

    private static Optional<WorkerPool> pool() {
        return Optional.of(Seen.withQueue(Resources.pool("ns", "pool", null)));
    }
}
