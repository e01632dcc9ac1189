package dev.codeforge.operator.deadletter;

import dev.codeforge.jetstream.Connections;
import dev.codeforge.jetstream.DeadLetters;
import dev.codeforge.operator.task.OperatorEvents;
import dev.codeforge.wire.DispatchKey;
import dev.codeforge.wire.Subjects;
import dev.codeforge.wire.TaskEvent;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts an exhausted message aside: the dead letter first, then the task's outcome, then the message goes. Cut anywhere it is
 * begun again, since the message still stands.
 */
public final class Burial {
    private static final Logger LOG = LoggerFactory.getLogger(Burial.class);
    static final String MAX_DELIVERIES_EXCEEDED = "MaxDeliveriesExceeded";
    private static final String DETAIL =
            "it was handed out as often as the queue allows and nobody ended it: see the workers' logs";

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

    /** An outside producer's task has no outcome that we may write; one that only bears our name has neither. */
    private void end(PoolQueues.PoolQueue queue, DeadLetters.Buried message) {
        final String uid = Subjects.taskIdOfMessage(message.subject());
        final boolean ours = message.installation().equals(installation)
                && message.dispatchId().equals(key.dispatchId(uid, message.attempt()));
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
