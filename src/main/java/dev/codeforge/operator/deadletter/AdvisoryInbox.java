package dev.codeforge.operator.deadletter;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.jetstream.Advisories;
import dev.codeforge.jetstream.Connections;
import dev.codeforge.jetstream.Consumption;
import dev.codeforge.jetstream.TaskQueue.QueuedTask;
import dev.codeforge.operator.index.TaskIndex;
import dev.codeforge.operator.results.OperatorEvents;
import dev.codeforge.wire.Subjects;
import dev.codeforge.wire.TaskEvent;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Handles JetStream's advisories on messages that it will not deliver again. */
public final class AdvisoryInbox {
    private static final Logger LOG = LoggerFactory.getLogger(AdvisoryInbox.class);
    /**
     * The reason in advisories on messages that were deleted, purged or expired while a worker had them. Such a removal
     * is intended.
     */
    private static final String DELETED = "Unacknowledged message was deleted";

    private static final Pattern TYPE = Pattern.compile("[A-Z][A-Za-z0-9]{0,62}");

    private final PoolQueues pools;
    private final TaskIndex tasks;
    private final Connections connections;
    private final OperatorEvents events;
    private final Holders holders;
    private final Burial burial;

    public AdvisoryInbox(
            PoolQueues pools, TaskIndex tasks, Connections connections, OperatorEvents events, Burial burial) {
        this.pools = pools;
        this.tasks = tasks;
        this.connections = connections;
        this.events = events;
        this.holders = new Holders(connections);
        this.burial = burial;
    }

    /**
     * Starts to handle advisories. Call this when the caches are filled, because pools that are missing there are
     * ignored. Close it to stop.
     */
    public Consumption open() {
        return connections.advisories().consume(this::take);
    }

    private void take(Advisories.Delivery delivery) {
        final Advisories.Advisory advisory = delivery.advisory();
        final Optional<PoolQueues.PoolQueue> queue = pools.of(advisory.stream())
                .filter(ignored -> advisory.consumer().equals(Subjects.WORKERS_DURABLE));
        final boolean done = queue.isEmpty()
                || switch (advisory.kind()) {
                    case MaxDeliveries -> exhausted(queue.get(), advisory);
                    case Terminated -> terminated(queue.get(), advisory, delivery.times());
                };
        if (done) {
            delivery.ack();
        } else {
            delivery.later();
        }
    }

    private boolean exhausted(PoolQueues.PoolQueue queue, Advisories.Advisory advisory) {
        final Optional<QueuedTask> message = connections
                .queue()
                .at(queue.stream(), advisory.sequence())
                // A recreated stream counts from 1 again: a message that is younger than the advisory is another one.
                .filter(standing -> !standing.stored().isAfter(advisory.time()));
        if (message.isEmpty()) {
            return true;
        }
        if (!holders.held(queue, List.of(message.get())).isEmpty()) {
            // The holder's last run continues, and its acknowledgement still counts.
            return false;
        }
        burial.bury(queue, advisory.sequence());
        return true;
    }

    private boolean terminated(PoolQueues.PoolQueue queue, Advisories.Advisory advisory, long times) {
        final boolean another =
                connections.queue().at(queue.stream(), advisory.sequence()).isPresent();
        if (advisory.reason().equals(DELETED) || another) {
            return true;
        }
        final Optional<AgentTask> task = tasks.unfinished().stream()
                .filter(candidate -> standsAt(candidate, advisory))
                .findFirst();
        if (task.isEmpty()) {
            // The message is an outside producer's, or the status with the task's queue position has not reached the
            // cache yet.
            return times > 1;
        }
        end(queue, task.get(), advisory);
        return true;
    }

    private static boolean standsAt(AgentTask task, Advisories.Advisory advisory) {
        return task.observedStatus()
                .map(AgentTaskStatus::queue)
                .filter(queue -> queue.stream().equals(advisory.stream())
                        && Long.valueOf(advisory.sequence()).equals(queue.sequence()))
                .isPresent();
    }

    /**
     * Ends the task's attempt. Otherwise the operator would publish the task again, and the message would be terminated
     * again.
     */
    private void end(PoolQueues.PoolQueue queue, AgentTask task, Advisories.Advisory advisory) {
        final String type = TYPE.matcher(advisory.reason()).matches() ? advisory.reason() : "MessageTerminated";
        LOG.warn("message {} of {} was terminated: {}", advisory.sequence(), queue.stream(), advisory.reason());
        events.endUnfinished(
                connections.results(),
                TaskIndex.ref(task),
                Math.max(1, task.getStatus().attempts()),
                TaskEvent.Kind.FAILED,
                new TaskEvent.Failure(
                        type,
                        "its message was taken off the queue unrun ("
                                + (advisory.reason().isEmpty() ? "no reason was given" : advisory.reason())
                                + "): see the workers' logs, and the pool's dead letters where a worker moved it there",
                        false));
    }
}
