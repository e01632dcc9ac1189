package dev.codeforge.operator.deadletter;

import dev.codeforge.jetstream.Connections;
import dev.codeforge.jetstream.QueueCensus;
import dev.codeforge.jetstream.QueueUnavailableException;
import dev.codeforge.operator.sweep.Sweep;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Buries exhausted messages that no advisory told: one is sent once, and only when a worker asks for work. Without dead
 * messages it costs four requests a pool.
 */
public final class ExhaustedSweep implements Sweep {
    private static final Logger LOG = LoggerFactory.getLogger(ExhaustedSweep.class);

    private final PoolQueues pools;
    private final Connections connections;
    private final Holders holders;
    private final Burial burial;

    public ExhaustedSweep(PoolQueues pools, Connections connections, Burial burial) {
        this.pools = pools;
        this.connections = connections;
        this.holders = new Holders(connections);
        this.burial = burial;
    }

    @Override
    public void run() {
        for (final PoolQueues.PoolQueue queue : pools.all()) {
            try {
                connections.queue().census(queue.stream()).ifPresent(census -> bury(queue, census));
            } catch (QueueUnavailableException e) {
                // The other pools are swept all the same.
                LOG.debug("{} cannot be swept: {}", queue.stream(), e.getMessage());
            }
        }
    }

    private void bury(PoolQueues.PoolQueue queue, QueueCensus census) {
        census.exhausted(holders.held(queue, census.toAsk())).forEach(sequence -> burial.bury(queue, sequence));
    }
}
