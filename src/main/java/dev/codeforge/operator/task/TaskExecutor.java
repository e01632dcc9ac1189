package dev.codeforge.operator.task;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.api.WorkerPoolStatus;
import dev.codeforge.jetstream.Connections;
import dev.codeforge.jetstream.TaskQueue;
import dev.codeforge.jetstream.TaskQueue.OutgoingTask;
import dev.codeforge.jetstream.TaskQueue.PublishOutcome;
import dev.codeforge.operator.index.TaskIndex;
import dev.codeforge.operator.results.DeletedTaskEnd;
import dev.codeforge.operator.results.OperatorEvents;
import dev.codeforge.operator.status.Reason;
import dev.codeforge.operator.task.admission.Admissions;
import dev.codeforge.operator.task.status.StatusTransition;
import dev.codeforge.operator.task.status.StopReason;
import dev.codeforge.operator.tracing.Tracing;
import dev.codeforge.wire.TaskEvent;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.function.Supplier;

/** Carries a plan out and returns the status transition; empty: reconcile again. */
final class TaskExecutor {
    /** Longer than a worker takes to reconnect. */
    private static final Duration HOLDER_TIMEOUT = Duration.ofSeconds(5);

    /** A worker whose pod has terminated does not reconnect, and the release must precede JetStream's redelivery. */
    private static final Duration LOST_TIMEOUT = Duration.ofSeconds(1);

    private final Connections connections;
    private final TaskMessages messages;
    private final OperatorEvents events;
    private final Admissions admissions;
    private final FinishedTasks finished;
    private final String installation;
    private final Tracing tracing;
    private final Permits permits;

    /** @param permits of the threads that call it; given back while an answer is waited for */
    TaskExecutor(
            Connections connections,
            TaskMessages messages,
            OperatorEvents events,
            Admissions admissions,
            FinishedTasks finished,
            String installation,
            Tracing tracing,
            Permits permits) {
        this.connections = connections;
        this.messages = messages;
        this.events = events;
        this.admissions = admissions;
        this.finished = finished;
        this.installation = installation;
        this.tracing = tracing;
        this.permits = permits;
    }

    TaskSnapshot answer(TaskSnapshot snapshot, TaskPlan.Question question) {
        return switch (question) {
            case TaskPlan.AskHolder ignored ->
                snapshot.withHolder(permits.without(() -> connections
                        .workers()
                        .holder(
                                TaskIndex.ref(snapshot.task()),
                                snapshot.loss().isPresent() ? LOST_TIMEOUT : HOLDER_TIMEOUT)));
            case TaskPlan.AskAdmission ask -> snapshot.with(admissions.answer(snapshot.candidate(), ask.question()));
        };
    }

    /** What was read for the admission holds no more. */
    TaskSnapshot admit(TaskSnapshot snapshot, TaskPlan.Admit plan) {
        final Supplier<TaskSnapshot> write = () -> {
            admissions.write(snapshot.task(), plan.write());
            return snapshot.with(snapshot.candidate().unanswered());
        };
        return plan.write().mayWait() ? permits.without(write) : write.get();
    }

    Optional<StatusTransition> execute(TaskSnapshot snapshot, TaskPlan plan) {
        return switch (plan) {
            case TaskPlan.UpdateStatus say -> {
                admissions.settle(snapshot.task(), say.view());
                yield Optional.of(say.view());
            }
            case TaskPlan.Publish publish -> publish(snapshot, publish);
            case TaskPlan.End end -> end(snapshot, end);
            case TaskPlan.AskToStop ask -> askToStop(snapshot, ask);
            case TaskPlan.GiveBack giveBack -> {
                events.giveBack(
                        connections.results(),
                        TaskIndex.ref(snapshot.task()),
                        snapshot.lastEvent().orElseThrow(),
                        giveBack.loss().failure(),
                        snapshot.lastSequence());
                yield Optional.empty();
            }
            case TaskPlan.EndDeleted withdraw -> withdraw(snapshot, withdraw);
            case TaskPlan.Delete ignored ->
                finished.delete(snapshot.task()) ? Optional.of(new StatusTransition.Unchanged()) : Optional.empty();
            case TaskPlan.Question ignored -> Optional.empty();
            case TaskPlan.Admit ignored -> Optional.empty();
            case TaskPlan.Requeue ignored -> Optional.empty();
        };
    }

    private Optional<StatusTransition> publish(TaskSnapshot snapshot, TaskPlan.Publish plan) {
        final WorkerPool pool = plan.pool();
        final WorkerPoolStatus.Queue place = pool.getStatus().queue();
        final TaskQueue queue = connections.queue();
        final OutgoingTask message = messages.of(snapshot, pool, place.subject(), plan.attempt(), plan.freshId());
        if (plan.purgeFirst()) {
            snapshot.standing().ifPresent(older -> queue.remove(place.stream(), older.sequence()));
        }
        final Instant begun = Instant.now();
        return switch (queue.publish(place.stream(), message)) {
            case PublishOutcome.Stored stored -> {
                tracing.published(snapshot.task(), plan.attempt(), place.stream(), stored.sequence(), begun);
                yield Optional.of(new StatusTransition.Queued(
                        plan.attempt(), place.stream(), stored.sequence(), Optional.empty()));
            }
            case PublishOutcome.Duplicate ignored -> duplicate(queue, snapshot, plan);
            case PublishOutcome.Occupied ignored -> occupied(snapshot, message.subject());
            case PublishOutcome.Full ignored ->
                Optional.of(new StatusTransition.Waiting(Reason.QueueFull, Reason.QueueFull.sentence()));
            case PublishOutcome.TooLarge large ->
                end(
                        snapshot,
                        new TaskPlan.End(
                                place.stream(),
                                message.subject(),
                                plan.attempt(),
                                StopReason.tooLarge(large.bytes(), large.most())));
            case PublishOutcome.NoQueue ignored ->
                Optional.of(new StatusTransition.Waiting(
                        Reason.PoolNotReady, "The stream " + place.stream() + " is gone; it is being made again."));
        };
    }

    /** Occupied by this task's own message, which the next reconcile finds, or by a foreign one, which stays. */
    private Optional<StatusTransition> occupied(TaskSnapshot snapshot, String subject) {
        return snapshot.standing().isEmpty() && stranger(snapshot, subject)
                ? Optional.of(new StatusTransition.Waiting(
                        Reason.SubjectOccupied, Reason.SubjectOccupied.sentence() + " The subject is " + subject + "."))
                : Optional.empty();
    }

    private boolean stranger(TaskSnapshot snapshot, String subject) {
        return connections
                .queue()
                .standing(snapshot.candidate().stream(), subject)
                .filter(message -> !message.installation().equals(installation))
                .isPresent();
    }

    /** The message id was used before, which does not say whether the message is in the stream: check, and publish again if not. */
    private Optional<StatusTransition> duplicate(TaskQueue queue, TaskSnapshot snapshot, TaskPlan.Publish plan) {
        final AgentTask task = snapshot.task();
        final WorkerPoolStatus.Queue place = plan.pool().getStatus().queue();
        final OutgoingTask again = messages.of(snapshot, plan.pool(), place.subject(), plan.attempt(), true);
        final boolean known = queue.standing(place.stream(), again.subject()).isPresent()
                || events.last(connections.results(), TaskIndex.ref(task))
                        .filter(event -> event.attempt() >= plan.attempt())
                        .isPresent();
        if (!known) {
            queue.publish(place.stream(), again);
        }
        return Optional.empty();
    }

    private Optional<StatusTransition> end(TaskSnapshot snapshot, TaskPlan.End plan) {
        endAttempt(
                snapshot,
                plan.stream(),
                plan.attempt(),
                plan.stop().kind(),
                plan.stop().failure());
        return Optional.empty();
    }

    /**
     * The event first: a worker that takes the message meanwhile finds it and leaves the task alone.
     *
     * @return false when another event came in between
     */
    private boolean endAttempt(
            TaskSnapshot snapshot, String stream, int attempt, TaskEvent.Kind kind, TaskEvent.Failure failure) {
        final boolean written = events.end(
                connections.results(),
                TaskIndex.ref(snapshot.task()),
                attempt,
                kind,
                failure,
                snapshot.lastSequence(),
                snapshot.lastEvent(),
                Checkpoints.carriedOn(snapshot.task(), snapshot.lastEvent()));
        if (written) {
            snapshot.standing().ifPresent(message -> connections.queue().remove(stream, message.sequence()));
        }
        return written;
    }

    private Optional<StatusTransition> askToStop(TaskSnapshot snapshot, TaskPlan.AskToStop plan) {
        final StopReason stop = plan.end().stop();
        final boolean accepted = cancel(snapshot, plan.end().attempt(), stop.type(), stop.message());
        return plan.overdue() && !accepted
                ? end(snapshot, plan.end())
                : Optional.of(new StatusTransition.Stopping(stop, snapshot.news(), accepted));
    }

    /** Nobody is left to read the outcome: a holder that does not answer at once is fenced instead of waited for. */
    private Optional<StatusTransition> withdraw(TaskSnapshot snapshot, TaskPlan.EndDeleted plan) {
        final TaskEvent.Failure failure = DeletedTaskEnd.DELETED;
        if (plan.running() && cancel(snapshot, plan.attempt(), failure.type(), failure.message())) {
            return Optional.of(new StatusTransition.Unchanged());
        }
        return endAttempt(snapshot, plan.stream(), plan.attempt(), TaskEvent.Kind.CANCELLED, failure)
                ? Optional.of(new StatusTransition.Unchanged())
                : Optional.empty();
    }

    /** @return whether the holder has accepted */
    private boolean cancel(TaskSnapshot snapshot, int attempt, String type, String reason) {
        return permits.without(
                () -> connections.workers().cancel(TaskIndex.ref(snapshot.task()), attempt, type, reason));
    }
}
