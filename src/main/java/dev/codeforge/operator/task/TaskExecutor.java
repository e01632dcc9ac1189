package dev.codeforge.operator.task;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.api.WorkerPoolStatus;
import dev.codeforge.jetstream.Connections;
import dev.codeforge.jetstream.OutgoingTask;
import dev.codeforge.jetstream.PublishOutcome;
import dev.codeforge.jetstream.TaskQueue;
import dev.codeforge.operator.status.Reason;
import dev.codeforge.wire.TaskEvent;
import java.time.Duration;
import java.util.Optional;

/** Carries a plan out and tells what the status shall say; empty: look again. */
final class TaskExecutor {
    private static final Duration CANCEL_TIMEOUT = Duration.ofSeconds(2);

    private final Connections connections;
    private final TaskMessages messages;
    private final OperatorEvents events;

    TaskExecutor(Connections connections, TaskMessages messages, OperatorEvents events) {
        this.connections = connections;
        this.messages = messages;
        this.events = events;
    }

    Optional<TaskView> execute(TaskSnapshot snapshot, TaskPlan plan) {
        return switch (plan) {
            case TaskPlan.Say say -> Optional.of(say.view());
            case TaskPlan.Publish publish -> publish(snapshot, publish);
            case TaskPlan.Withdraw withdraw -> withdraw(snapshot, withdraw);
            case TaskPlan.AskHolder ignored -> Optional.empty();
            case TaskPlan.LookAgain ignored -> Optional.empty();
        };
    }

    private Optional<TaskView> publish(TaskSnapshot snapshot, TaskPlan.Publish plan) {
        final AgentTask task = snapshot.task();
        final WorkerPool pool = plan.pool();
        final WorkerPoolStatus.Queue place = pool.getStatus().queue();
        final TaskQueue queue = connections.queue(task.getMetadata().getNamespace());
        final OutgoingTask message = messages.of(task, pool, place.subject(), plan.attempt(), plan.freshId());
        if (plan.purgeFirst()) {
            queue.purge(place.stream(), message.subject());
        }
        return switch (queue.publish(place.stream(), message)) {
            case PublishOutcome.Stored stored ->
                Optional.of(new TaskView.Queued(plan.attempt(), place.stream(), stored.sequence(), Optional.empty()));
            case PublishOutcome.Duplicate ignored -> duplicate(queue, task, pool, plan);
            case PublishOutcome.Occupied ignored -> Optional.empty();
            case PublishOutcome.Full ignored ->
                Optional.of(new TaskView.Waiting(Reason.QueueFull, Reason.QueueFull.sentence()));
            case PublishOutcome.NoQueue ignored ->
                Optional.of(new TaskView.Waiting(
                        Reason.PoolNotReady, "The stream " + place.stream() + " is gone; it is being made again."));
        };
    }

    /** The id was seen before, but a duplicate says nothing of whether the message stands: look, else send anew. */
    private Optional<TaskView> duplicate(TaskQueue queue, AgentTask task, WorkerPool pool, TaskPlan.Publish plan) {
        final WorkerPoolStatus.Queue place = pool.getStatus().queue();
        final OutgoingTask again = messages.of(task, pool, place.subject(), plan.attempt(), true);
        final boolean known = queue.standing(place.stream(), again.subject()).isPresent()
                || connections
                        .results(task.getMetadata().getNamespace())
                        .last(task.uid())
                        .isPresent();
        if (!known) {
            queue.publish(place.stream(), again);
        }
        return Optional.empty();
    }

    private Optional<TaskView> withdraw(TaskSnapshot snapshot, TaskPlan.Withdraw plan) {
        final AgentTask task = snapshot.task();
        final String namespace = task.getMetadata().getNamespace();
        if (plan.running()
                && connections
                        .control(namespace)
                        .cancel(task.uid(), "TaskDeleted", "the AgentTask was deleted", CANCEL_TIMEOUT)) {
            return Optional.of(new TaskView.Unchanged());
        }
        final boolean written = events.end(
                connections.results(namespace),
                task.uid(),
                plan.attempt(),
                TaskEvent.Kind.CANCELLED,
                new TaskEvent.Failure("TaskDeleted", "the AgentTask was deleted", false),
                snapshot.lastSequence(),
                snapshot.lastEvent());
        if (!written) {
            return Optional.empty();
        }
        if (!plan.subject().isEmpty()) {
            connections.queue(namespace).purge(plan.stream(), plan.subject());
        }
        return Optional.of(new TaskView.Unchanged());
    }
}
