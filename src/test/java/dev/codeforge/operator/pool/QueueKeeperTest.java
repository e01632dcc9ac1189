package dev.codeforge.operator.pool;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.WorkerPoolSpec.DeletionPolicy;
import dev.codeforge.jetstream.StreamOwner;
import dev.codeforge.testing.Resources;
import org.junit.jupiter.api.Test;

final class QueueKeeperTest {
    @Test
    void aStreamSaysWhetherItIsKeptWhenItsPoolIsGone() {
        assertThat(owner(DeletionPolicy.Retain)).isEqualTo(new StreamOwner("cluster", true));
        assertThat(owner(DeletionPolicy.Drain)).isEqualTo(new StreamOwner("cluster", false));
        assertThat(owner(DeletionPolicy.Delete)).isEqualTo(new StreamOwner("cluster", false));
    }

    private static StreamOwner owner(DeletionPolicy policy) {
        return QueueKeeper.owner(Resources.pool("ns", "pool", "tasks.ns.pool", null, policy), "cluster");
    }
}
