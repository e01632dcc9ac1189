package dev.codeforge.operator.task;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskSpec;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.jetstream.TaskQueue.StandingMessage;
import dev.codeforge.jetstream.WorkerControl.Holder;
import dev.codeforge.operator.task.admission.Candidate;
import dev.codeforge.operator.task.status.StatusTransition;
import dev.codeforge.operator.task.status.StopReason;
import dev.codeforge.operator.task.status.TaskStatusBuilder;
import dev.codeforge.operator.time.Clocks;
import dev.codeforge.testing.Events;
import dev.codeforge.testing.Resources;
import dev.codeforge.wire.TaskEvent;
import dev.codeforge.wire.TaskEvent.Kind;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A task, its queue, its results and its worker in memory: what the planner decides is done, faults included. */
final class TaskLife {
    /** Something that happens to the task from outside the operator. */
    enum Step {
        RECONCILE,
        RECONCILE_AND_CRASH,
        WORKER_TAKES,
        WORKER_COMPLETES,
        WORKER_FAILS,
        WORKER_FAILS_FOR_GOOD,
        WORKER_GIVES_BACK,
        WORKER_DIES,
        MESSAGE_IS_LOST,
        RESULTS_ARE_LOST,
        MINUTES_PASS,
        USER_SUSPENDS,
        USER_RESUMES,
        USER_CANCELS,
        USER_RERUNS
    }

    final AgentTask task;
    /** Attempts in the order in which a worker began them. */
    final List<Integer> begun = new ArrayList<>();

    private final WorkerPool pool = Seen.withQueue(Resources.pool("ns", "pool", null));
    private Optional<StandingMessage> standing = Optional.empty();
    private Optional<TaskEvent> last = Optional.empty();
    private long lastSequence;
    private int heldAttempt;
    private int heldDelivery;
    private Instant now = Seen.NOW;

    TaskLife(String fields) {
        task = Resources.task("ns", "task", "pool", fields);
        task.getMetadata().setCreationTimestamp(Seen.NOW.toString());
    }

    AgentTaskStatus status() {
        return task.statusOrUnobserved();
    }

    Instant now() {
        return now;
    }

    void happens(Step step) {
        switch (step) {
            case RECONCILE -> reconcile();
            case RECONCILE_AND_CRASH -> execute(true);
            case WORKER_TAKES -> take();
            case WORKER_COMPLETES -> end(Kind.COMPLETED, true);
            case WORKER_FAILS -> end(Kind.FAILED, true);
            case WORKER_FAILS_FOR_GOOD -> end(Kind.FAILED, false);
            case WORKER_GIVES_BACK -> giveBack();
            case WORKER_DIES -> heldAttempt = 0;
            case MESSAGE_IS_LOST -> standing = Optional.empty();
            case RESULTS_ARE_LOST -> last = Optional.empty();
            case MINUTES_PASS -> now = now.plus(Duration.ofMinutes(7));
            case USER_SUSPENDS -> spec(true, task.getSpec().cancel(), 0);
            case USER_RESUMES -> spec(false, task.getSpec().cancel(), 0);
            case USER_CANCELS -> spec(task.getSpec().suspend(), true, 0);
            case USER_RERUNS -> spec(task.getSpec().suspend(), false, 1);
        }
    }

    private void spec(boolean suspend, boolean cancel, int reruns) {
        final AgentTaskSpec spec = task.getSpec();
        task.setSpec(new AgentTaskSpec(
                spec.workerPoolRef(),
                spec.title(),
                spec.prompt(),
                spec.projectID(),
                spec.model(),
                spec.config(),
                spec.workspace(),
                spec.session(),
                spec.runTimeoutSeconds(),
                spec.queueTimeoutSeconds(),
                spec.retry(),
                spec.budget(),
                spec.delivery(),
                spec.idempotencyKey(),
                spec.repeatPolicy(),
                spec.notAfter(),
                suspend,
                cancel,
                reruns == 0 ? spec.rerun() : spec.rerun() + "+".repeat(reruns),
                spec.ttlSecondsAfterFinished()));
    }

    /** Until it wants nothing more for now. */
    void settle() {
        for (int i = 0; i < 20; i++) {
            final AgentTaskStatus before = status();
            final long sequence = lastSequence;
            if (execute(false) && status().equals(before) && sequence == lastSequence) {
                return;
            }
        }
        throw new AssertionError("the operator does not come to rest: " + status());
    }

    void reconcile() {
        execute(false);
    }

    /**
     * @param crash before the status is stored
     * @return true when the plan said something, false when it wants to look again
     */
    private boolean execute(boolean crash) {
        final Clock clock = Clock.fixed(now, ZoneOffset.UTC);
        final Clocks clocks = new Clocks(clock, clock, clock);
        final TaskPlanner planner = new TaskPlanner(clocks);
        TaskSnapshot snapshot = new TaskSnapshot(
                Candidate.of(task, Optional.of(pool), List.of(), false),
                false,
                task.isFinished() ? Optional.empty() : standing,
                lastSequence,
                task.isFinished() ? Optional.empty() : last,
                Optional.empty(),
                Optional.empty());
        TaskPlan plan = planner.plan(snapshot);
        if (plan instanceof TaskPlan.AskHolder) {
            snapshot = snapshot.withHolder(
                    heldAttempt == 0 ? Optional.empty() : Optional.of(new Holder("worker-0", heldAttempt, 1)));
            plan = planner.plan(snapshot);
        }
        final Optional<StatusTransition> view =
                switch (plan) {
                    case TaskPlan.UpdateStatus say -> Optional.of(say.view());
                    case TaskPlan.Publish publish -> publish(publish);
                    case TaskPlan.End end -> ended(end);
                    case TaskPlan.AskToStop ask -> askToStop(ask, snapshot.news());
                    case TaskPlan.Requeue ignored -> Optional.empty();
                    default -> throw new AssertionError("not expected in this world: " + plan);
                };
        if (view.isPresent() && !crash) {
            task.setStatus(new TaskStatusBuilder(clocks).build(task, Optional.of(pool), view.get()));
        }
        return view.isPresent();
    }

    private Optional<StatusTransition> publish(TaskPlan.Publish plan) {
        if (standing.isPresent() && !plan.purgeFirst()) {
            return Optional.empty();
        }
        standing = Optional.of(new StandingMessage(++lastSequence, "installation", "ns", "task", plan.attempt()));
        return Optional.of(new StatusTransition.Queued(plan.attempt(), Seen.STREAM, lastSequence, Optional.empty()));
    }

    private Optional<StatusTransition> ended(TaskPlan.End plan) {
        write(plan.attempt(), plan.stop().kind(), plan.stop().failure());
        standing = Optional.empty();
        heldAttempt = 0;
        return Optional.empty();
    }

    private Optional<StatusTransition> askToStop(TaskPlan.AskToStop plan, Optional<TaskEvent> begun) {
        if (heldAttempt > 0) {
            ended(new TaskPlan.End("", "", heldAttempt, plan.end().stop()));
        } else if (plan.overdue()) {
            return ended(plan.end());
        }
        return Optional.of(new StatusTransition.Stopping(plan.end().stop(), begun, false));
    }

    private void write(int attempt, Kind kind, TaskEvent.Failure failure) {
        final int delivery = attempt == heldAttempt
                ? heldDelivery
                : last.filter(event -> event.attempt() == attempt)
                        .map(TaskEvent::delivery)
                        .orElse(0);
        last = Optional.of(Events.at(task, kind, attempt, delivery, failure, now));
        lastSequence++;
    }

    /** As PROTOCOL says: an ended or overtaken attempt is not begun, an AtMostOnce one not twice. */
    private void take() {
        if (standing.isEmpty() || heldAttempt > 0) {
            return;
        }
        final int attempt = standing.get().attempt();
        final Optional<TaskEvent> told = last.filter(event -> event.attempt() >= attempt);
        if (told.filter(event -> event.isTerminal() || event.attempt() > attempt)
                .isPresent()) {
            standing = Optional.empty();
            return;
        }
        if (told.isPresent() && task.getSpec().delivery() == AgentTaskSpec.DeliveryMode.AtMostOnce) {
            write(attempt, Kind.FAILED, StopReason.mayHaveRun().failure());
            standing = Optional.empty();
            return;
        }
        begun.add(attempt);
        heldAttempt = attempt;
        heldDelivery = told.map(event -> event.kind() == Kind.RELEASED ? event.delivery() : event.delivery() + 1)
                .orElse(1);
        write(attempt, Kind.RUNNING, null);
    }

    private void end(Kind kind, boolean retryable) {
        if (heldAttempt == 0) {
            return;
        }
        write(
                heldAttempt,
                kind,
                kind == Kind.FAILED ? new TaskEvent.Failure("CommandFailed", "exit 1", retryable) : null);
        standing = standing.filter(message -> message.attempt() > heldAttempt);
        heldAttempt = 0;
    }

    private void giveBack() {
        if (heldAttempt == 0 || task.getSpec().delivery() == AgentTaskSpec.DeliveryMode.AtMostOnce) {
            return;
        }
        write(heldAttempt, Kind.RELEASED, null);
        heldAttempt = 0;
    }
}
