package dev.codeforge.operator.deadletter;

import dev.codeforge.api.WorkerPoolStatus;
import dev.codeforge.operator.index.PoolIndex;
import dev.codeforge.wire.TaskRef;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The streams of this installation's pools. Streams of other installations on the account are ignored. */
public final class PoolQueues {
    private final PoolIndex pools;

    public PoolQueues(PoolIndex pools) {
        this.pools = pools;
    }

    record PoolQueue(String namespace, String pool, String stream) {
        TaskRef task(String id) {
            return new TaskRef(namespace, pool, id);
        }
    }

    List<PoolQueue> all() {
        return stream().toList();
    }

    Optional<PoolQueue> of(String stream) {
        return stream().filter(queue -> queue.stream().equals(stream)).findFirst();
    }

    private Stream<PoolQueue> stream() {
        return pools.list().flatMap(pool -> pool.observedStatus().map(WorkerPoolStatus::queue).stream()
                .map(queue -> new PoolQueue(
                        pool.getMetadata().getNamespace(), pool.getMetadata().getName(), queue.stream())));
    }
}
