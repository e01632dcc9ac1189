package dev.codeforge.operator.deadletter;

import dev.codeforge.jetstream.Connections;
import dev.codeforge.jetstream.QueueCensus;
import dev.codeforge.jetstream.QueueUnavailableException;
import dev.codeforge.operator.sweep.Sweep;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Buries exhausted messages that had no advisory: JetStream sends an advisory once, and only when a worker pulls.
 * Without exhausted messages the sweep costs four requests per pool.
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
                // Continue with the other pools.
                LOG.debug("{} cannot be swept: {}", queue.stream(), e.getMessage());
            }
        }
    }

    private void bury(PoolQueues.PoolQueue queue, QueueCensus census) {
        census.exhausted(holders.held(queue, census.toAsk())).forEach(sequence -> burial.bury(queue, sequence));
    }
}
