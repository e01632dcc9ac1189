package dev.codeforge.operator.task;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.api.WorkerPoolStatus;
import dev.codeforge.jetstream.StandingMessage;
import dev.codeforge.operator.status.Conditions;
import dev.codeforge.operator.status.Reason;
import dev.codeforge.wire.Subjects;
import dev.codeforge.wire.TaskEvent;
import java.util.Optional;

/** Decides what is done with a task. Pure: the same snapshot gives the same plan. */
final class TaskPlanner {

    TaskPlan plan(TaskSnapshot snapshot) {
        if (snapshot.deleted()) {
            return withdraw(snapshot);
        }
        final AgentTask task = snapshot.task();
        if (task.isFinished()) {
            return new TaskPlan.Say(new TaskView.Unchanged());
        }
        final int attempt = attempt(task);
        final Optional<TaskEvent> event = snapshot.lastEvent().filter(last -> last.attempt() >= attempt);
        if (event.filter(TaskEvent::isTerminal).isPresent()) {
            return new TaskPlan.Say(new TaskView.Ended(event.get()));
        }
        return snapshot.standing().isPresent()
                ? standing(snapshot, event, attempt, snapshot.standing().get())
                : absent(snapshot, event, attempt);
    }

    private static int attempt(AgentTask task) {
        return Math.max(1, task.observedStatus().map(AgentTaskStatus::attempts).orElse(0));
    }

    private TaskPlan standing(TaskSnapshot snapshot, Optional<TaskEvent> event, int attempt, StandingMessage message) {
        if (message.attempt() > attempt) {
            return new TaskPlan.LookAgain();
        }
        if (message.attempt() < attempt) {
            return publish(snapshot, attempt, true, false);
        }
        if (event.isEmpty() && wasRunning(snapshot)) {
            // Its last event cannot be believed, or is lost: that tells nothing new.
            return new TaskPlan.Say(new TaskView.Unchanged());
        }
        final String stream = streamOf(snapshot);
        return new TaskPlan.Say(event.filter(last -> last.kind() != TaskEvent.Kind.RELEASED)
                .<TaskView>map(TaskView.Running::new)
                .orElseGet(() -> new TaskView.Queued(attempt, stream, message.sequence(), event)));
    }

    private static boolean wasRunning(TaskSnapshot snapshot) {
        return snapshot.task()
                .observedStatus()
                .filter(status -> status.phase() == Phase.Running)
                .isPresent();
    }

    /** No message stands and no outcome does: it was never sent, or it was lost, or somebody runs it unseen. */
    private TaskPlan absent(TaskSnapshot snapshot, Optional<TaskEvent> event, int attempt) {
        final boolean mayRun = event.isPresent()
                ? event.get().kind() != TaskEvent.Kind.RELEASED
                // Its events are lost, but it was seen running.
                : wasRunning(snapshot);
        if (mayRun && snapshot.holder().isEmpty()) {
            return new TaskPlan.AskHolder();
        }
        if (mayRun && snapshot.holder().get().isPresent()) {
            return new TaskPlan.Say(event.<TaskView>map(TaskView.Running::new).orElseGet(TaskView.Unchanged::new));
        }
        final boolean publishedBefore = event.isPresent()
                || snapshot.task().observedStatus().map(AgentTaskStatus::queue).isPresent();
        return publish(snapshot, attempt, false, publishedBefore);
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
        return new TaskPlan.Publish(pool, attempt, purgeFirst, freshId);
    }

    private static TaskPlan waiting(Reason reason, String message) {
        return new TaskPlan.Say(new TaskView.Waiting(reason, message));
    }

    private TaskPlan withdraw(TaskSnapshot snapshot) {
        final Optional<TaskEvent> event = snapshot.lastEvent();
        final boolean ended = snapshot.task().isFinished()
                || event.filter(TaskEvent::isTerminal).isPresent();
        if (ended || (event.isEmpty() && snapshot.standing().isEmpty())) {
            return new TaskPlan.Say(new TaskView.Unchanged());
        }
        final boolean running =
                event.filter(last -> last.kind() != TaskEvent.Kind.RELEASED).isPresent();
        final int attempt = Math.max(
                attempt(snapshot.task()),
                Math.max(
                        event.map(TaskEvent::attempt).orElse(0),
                        snapshot.standing().map(StandingMessage::attempt).orElse(0)));
        return new TaskPlan.Withdraw(streamOf(snapshot), subjectOf(snapshot), attempt, running);
    }

    /** The pool's stream; known from its name alone, even when the pool is gone. */
    static String streamOf(TaskSnapshot snapshot) {
        return Subjects.poolStream(
                snapshot.task().getMetadata().getNamespace(),
                snapshot.task().getSpec().workerPoolRef().name());
    }

    private static String subjectOf(TaskSnapshot snapshot) {
        return snapshot.pool()
                .flatMap(WorkerPool::observedStatus)
                .map(WorkerPoolStatus::queue)
                .map(queue -> Subjects.task(queue.subject(), snapshot.task().uid()))
                .orElse("");
    }
}
