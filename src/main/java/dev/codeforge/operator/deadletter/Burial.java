package dev.codeforge.operator.deadletter;

import dev.codeforge.jetstream.Connections;
import dev.codeforge.jetstream.DeadLetters;
import dev.codeforge.operator.results.OperatorEvents;
import dev.codeforge.wire.DispatchKey;
import dev.codeforge.wire.Subjects;
import dev.codeforge.wire.TaskEvent;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Moves an exhausted message to the dead letters: first the dead letter, then the task's outcome, then the removal. An
 * interrupted burial is repeated, because the message is still in the stream.
 */
public final class Burial {
    private static final Logger LOG = LoggerFactory.getLogger(Burial.class);
    static final String MAX_DELIVERIES_EXCEEDED = "MaxDeliveriesExceeded";
    private static final String DETAIL =
            "it was delivered as often as the queue allows and no worker ended it: see the workers' logs";

    private final Connections connections;
    private final OperatorEvents events;
    private final DispatchKey key;
    private final String installation;

    public Burial(Connections connections, OperatorEvents events, DispatchKey key, String installation) {
        this.connections = connections;
        this.events = events;
        this.key = key;
        this.installation = installation;
    }

    void bury(PoolQueues.PoolQueue queue, long sequence) {
        connections
                .deadLetters()
                .bury(
                        queue.namespace(),
                        queue.pool(),
                        queue.stream(),
                        sequence,
                        MAX_DELIVERIES_EXCEEDED,
                        DETAIL,
                        message -> end(queue, message))
                .ifPresent(message -> LOG.warn(
                        "message {} of {} was exhausted and is in the dead letters (task {})",
                        sequence,
                        queue.stream(),
                        message.taskId()));
    }

    /**
     * Writes the outcome only for messages that this operator's key proves: outside producers own theirs, and a message
     * may carry our name without proof.
     */
    private void end(PoolQueues.PoolQueue queue, DeadLetters.Buried message) {
        final String uid = Subjects.taskIdOfMessage(message.subject());
        final boolean ours =
                message.installation().equals(installation) && key.made(message.dispatchId(), uid, message.attempt());
        if (ours) {
            events.endUnfinished(
                    connections.results(),
                    queue.task(uid),
                    message.attempt(),
                    TaskEvent.Kind.FAILED,
                    new TaskEvent.Failure(MAX_DELIVERIES_EXCEEDED, DETAIL, false));
        }
    }
}
