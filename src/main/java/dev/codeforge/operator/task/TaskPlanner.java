package dev.codeforge.operator.task;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskSpec.DeliveryMode;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.api.WorkerPoolStatus;
import dev.codeforge.jetstream.TaskQueue.StandingMessage;
import dev.codeforge.operator.status.Conditions;
import dev.codeforge.operator.status.Reason;
import dev.codeforge.operator.task.admission.Admission;
import dev.codeforge.operator.task.admission.AdmissionPlanner;
import dev.codeforge.operator.task.loss.WorkerLoss;
import dev.codeforge.operator.task.status.BudgetCheck;
import dev.codeforge.operator.task.status.EffectiveSettings;
import dev.codeforge.operator.task.status.StatusTransition;
import dev.codeforge.operator.task.status.StopReason;
import dev.codeforge.operator.time.Clocks;
import dev.codeforge.wire.TaskEvent;
import java.util.Optional;

/** Decides what is done with a task. Pure: the same snapshot at the same time gives the same plan. */
final class TaskPlanner {
    private final TaskDeadlines deadlines;
    private final RetryPolicy retries;
    private final AdmissionPlanner admissions = new AdmissionPlanner();

    TaskPlanner(Clocks clocks) {
        this.deadlines = new TaskDeadlines(clocks);
        this.retries = new RetryPolicy(this.deadlines);
    }

    TaskPlan plan(TaskSnapshot snapshot) {
        if (snapshot.deleted()) {
            return withdraw(snapshot);
        }
        if (snapshot.task().isFinished()) {
            return deadlines.isExpired(snapshot.task(), snapshot.pool())
                    ? new TaskPlan.Delete()
                    : say(new StatusTransition.Unchanged());
        }
        final Optional<TaskEvent> event = snapshot.news();
        final int attempt =
                event.map(TaskEvent::attempt).orElse(snapshot.status().currentAttempt());
        if (snapshot.standing().filter(message -> message.attempt() > attempt).isPresent()) {
            // Also when the event reports an end: a later attempt is published already.
            return new TaskPlan.Requeue();
        }
        if (event.filter(TaskEvent::isTerminal).isPresent()) {
            return say(retries.of(snapshot, event.get()));
        }
        return stop(snapshot, event)
                .map(stop -> end(snapshot, event, attempt, stop))
                .orElseGet(() -> goOn(snapshot, event, attempt));
    }

    private static TaskPlan say(StatusTransition view) {
        return new TaskPlan.UpdateStatus(view);
    }

    /** Why the attempt, or what would become of it, is to be ended now. */
    private Optional<StopReason> stop(TaskSnapshot snapshot, Optional<TaskEvent> event) {
        if (snapshot.task().getSpec().cancel()) {
            return Optional.of(StopReason.cancelled());
        }
        if (snapshot.task().getSpec().suspend()) {
            return Optional.of(StopReason.suspended());
        }
        return deadlines.isDue(snapshot.status()) ? deadlines.overrun(snapshot, event) : Optional.empty();
    }

    private TaskPlan end(TaskSnapshot snapshot, Optional<TaskEvent> event, int attempt, StopReason stop) {
        final TaskPlan.End end = new TaskPlan.End(
                snapshot.candidate().stream(), snapshot.candidate().subject(), attempt, stop);
        if (snapshot.mayRun(event)) {
            return new TaskPlan.AskToStop(end, deadlines.isOverdue(snapshot));
        }
        final boolean published = event.isPresent()
                || snapshot.standing().isPresent()
                || snapshot.status().attempts() >= attempt;
        if (published) {
            return end;
        }
        return switch (stop.type()) {
            case StopReason.SUSPENDED -> say(suspended(snapshot));
            // A resource that is recreated after notAfter adopts the end of work that was done in time.
            case StopReason.NOT_AFTER_PASSED ->
                unlessAdmitted(admissions.byKnownEnd(snapshot.candidate())).orElseGet(() -> closed(stop));
            default -> closed(stop);
        };
    }

    private static TaskPlan closed(StopReason stop) {
        return say(new StatusTransition.Closed(stop.kind() == TaskEvent.Kind.CANCELLED, stop.failure()));
    }

    private static StatusTransition suspended(TaskSnapshot snapshot) {
        return snapshot.status().phase() == Phase.Suspended
                ? new StatusTransition.Unchanged()
                : new StatusTransition.Suspended(Optional.empty());
    }

    private TaskPlan goOn(TaskSnapshot snapshot, Optional<TaskEvent> event, int attempt) {
        if (!deadlines.isDue(snapshot.status())) {
            return say(new StatusTransition.Unchanged());
        }
        if (snapshot.loss().isPresent() && event.filter(TaskEvent::isRunning).isPresent()) {
            return lost(snapshot, event.get(), snapshot.loss().get());
        }
        return snapshot.standing().isPresent()
                ? standing(snapshot, event, attempt, snapshot.standing().get())
                : absent(snapshot, event, attempt);
    }

    private TaskPlan standing(TaskSnapshot snapshot, Optional<TaskEvent> event, int attempt, StandingMessage message) {
        if (message.attempt() < attempt) {
            return publish(snapshot, attempt, true, false);
        }
        if (event.isEmpty() && snapshot.mayRun(event)) {
            // The last event has no valid proof, or is lost. The status stays, and a second run must not begin.
            return snapshot.task().getSpec().delivery() == DeliveryMode.AtMostOnce
                    ? ifUnheld(snapshot, mayHaveRun(snapshot, attempt))
                    : say(new StatusTransition.Unchanged());
        }
        final String stream = snapshot.candidate().stream();
        return say(event.filter(TaskEvent::isRunning)
                .<StatusTransition>map(StatusTransition.Running::new)
                .orElseGet(() -> new StatusTransition.Queued(attempt, stream, message.sequence(), event)));
    }

    /** A worker that still answers keeps its run: Kubernetes may have lost a node that NATS reaches. */
    private static TaskPlan lost(TaskSnapshot snapshot, TaskEvent run, WorkerLoss loss) {
        if (snapshot.holder().isEmpty()) {
            return new TaskPlan.AskHolder();
        }
        if (snapshot.holder().get().isPresent()) {
            return say(new StatusTransition.Running(run));
        }
        if (!loss.isGivenBack()) {
            return new TaskPlan.End(
                    snapshot.candidate().stream(),
                    snapshot.candidate().subject(),
                    run.attempt(),
                    StopReason.lost(loss));
        }
        return snapshot.task().getSpec().delivery() == DeliveryMode.AtMostOnce
                ? mayHaveRun(snapshot, run.attempt())
                : new TaskPlan.GiveBack(run.attempt(), loss);
    }

    /** Neither a message nor an outcome: the task was never published, or the message was lost, or a worker runs it unseen. */
    private TaskPlan absent(TaskSnapshot snapshot, Optional<TaskEvent> event, int attempt) {
        final boolean mayRun = snapshot.mayRun(event);
        if (mayRun && snapshot.holder().isEmpty()) {
            return new TaskPlan.AskHolder();
        }
        if (mayRun && snapshot.holder().get().isPresent()) {
            return say(event.<StatusTransition>map(StatusTransition.Running::new)
                    .orElseGet(StatusTransition.Unchanged::new));
        }
        final AgentTaskStatus status = snapshot.status();
        final boolean publishedBefore = event.isPresent() || (status.attempts() >= attempt && status.queue() != null);
        // Without the pool the message's place is unknown: it does not count as lost.
        final boolean looked = !snapshot.candidate().subject().isEmpty();
        if (looked && publishedBefore && snapshot.task().getSpec().delivery() == DeliveryMode.AtMostOnce) {
            // A worker may have run a lost message, and its events may be lost too.
            return mayHaveRun(snapshot, attempt);
        }
        return unlessAdmitted(admissions.byKey(snapshot.candidate()))
                .orElseGet(() -> publish(snapshot, attempt, false, publishedBefore));
    }

    private static TaskPlan mayHaveRun(TaskSnapshot snapshot, int attempt) {
        return new TaskPlan.End(
                snapshot.candidate().stream(), snapshot.candidate().subject(), attempt, StopReason.mayHaveRun());
    }

    private static TaskPlan ifUnheld(TaskSnapshot snapshot, TaskPlan plan) {
        if (snapshot.holder().isEmpty()) {
            return new TaskPlan.AskHolder();
        }
        return snapshot.holder().get().isPresent() ? say(new StatusTransition.Unchanged()) : plan;
    }

    private TaskPlan publish(TaskSnapshot snapshot, int attempt, boolean purgeFirst, boolean freshId) {
        if (snapshot.pool().isEmpty()) {
            final String name = snapshot.task().getSpec().workerPoolRef().name();
            return waiting(
                    Reason.PoolNotFound,
                    "WorkerPool " + name + " does not exist in namespace "
                            + snapshot.task().getMetadata().getNamespace() + ". " + Reason.PoolNotFound.remedy());
        }
        final WorkerPool pool = snapshot.pool().get();
        if (pool.isTerminating()) {
            return waiting(Reason.PoolTerminating, Reason.PoolTerminating.sentence());
        }
        final WorkerPoolStatus status = pool.observedStatus().orElseGet(WorkerPoolStatus::unobserved);
        if (status.queue() == null || !Conditions.isTrue(status.conditions(), "QueueReady")) {
            final String why = Conditions.find(status.conditions(), "QueueReady")
                    .map(condition -> condition.getReason() + ": " + condition.getMessage())
                    .orElse("the operator has not made it yet.");
            return waiting(
                    Reason.PoolNotReady,
                    "The queue of pool " + pool.getMetadata().getName() + " is not there: " + why);
        }
        return BudgetCheck.exceeded(
                        snapshot.task(),
                        EffectiveSettings.of(snapshot.task(), snapshot.pool()),
                        snapshot.status().usage())
                .map(why -> spent(snapshot, attempt, purgeFirst || freshId, why))
                .or(() -> unlessAdmitted(admissions.byTurnAndRoom(snapshot.candidate(), purgeFirst || freshId)))
                .orElseGet(() -> new TaskPlan.Publish(pool, attempt, purgeFirst, freshId));
    }

    private static Optional<TaskPlan> unlessAdmitted(Admission admission) {
        return switch (admission) {
            case Admission.Admitted ignored -> Optional.empty();
            case Admission.Held held -> Optional.of(say(held.transition()));
            case Admission.Question question -> Optional.of(new TaskPlan.AskAdmission(question));
            case Admission.Write write -> Optional.of(new TaskPlan.Admit(write));
        };
    }

    /** @param published the attempt, or one before it, may have a message: it is ended as any other */
    private static TaskPlan spent(TaskSnapshot snapshot, int attempt, boolean published, TaskEvent.Failure why) {
        return published
                ? new TaskPlan.End(
                        snapshot.candidate().stream(),
                        snapshot.candidate().subject(),
                        attempt,
                        StopReason.budgetExceeded(why))
                : say(new StatusTransition.Closed(false, why));
    }

    private static TaskPlan waiting(Reason reason, String message) {
        return say(new StatusTransition.Waiting(reason, message));
    }

    private static TaskPlan withdraw(TaskSnapshot snapshot) {
        final AgentTask task = snapshot.task();
        final Optional<TaskEvent> event = snapshot.lastEvent();
        final boolean ended = task.isFinished()
                || event.filter(TaskEvent::isTerminal)
                        .filter(last -> snapshot.standing().isEmpty()
                                || snapshot.standing().get().attempt() <= last.attempt())
                        .isPresent();
        // Without the pool, its queue cannot be read: it may hold a message that a new pool of this name would run.
        final boolean unseen = snapshot.status().queue() != null
                && snapshot.candidate().subject().isEmpty();
        if (ended || (event.isEmpty() && snapshot.standing().isEmpty() && !unseen)) {
            return say(new StatusTransition.Unchanged());
        }
        final int attempt = Math.max(
                Math.max(1, snapshot.status().attempts()),
                Math.max(
                        event.map(TaskEvent::attempt).orElse(0),
                        snapshot.standing().map(StandingMessage::attempt).orElse(0)));
        return new TaskPlan.EndDeleted(
                snapshot.candidate().stream(),
                snapshot.candidate().subject(),
                attempt,
                event.filter(TaskEvent::isRunning).isPresent());
    }
}
