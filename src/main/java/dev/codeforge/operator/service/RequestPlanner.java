package dev.codeforge.operator.service;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.api.WorkerPoolSpec;
import dev.codeforge.api.WorkerPoolStatus;
import dev.codeforge.operator.status.Conditions;
import dev.codeforge.operator.status.Reason;
import dev.codeforge.operator.task.admission.SpecHash;
import io.fabric8.kubernetes.api.model.Condition;
import java.util.List;
import java.util.Optional;

/** Plans the next step for a request. Pure: the same request and snapshot give the same plan. */
final class RequestPlanner {
    /** A waiting request needs a few hundred bytes: this many fit beside ten thousand tasks. */
    static final int MOST_WAITING = 20_000;

    RequestPlan plan(Ask ask, RequestSnapshot snapshot) {
        if (snapshot.pool().filter(pool -> !takesRequests(pool)).isPresent()) {
            return new RequestPlan.Refuse(Refusal.notOptedIn(ask.namespace(), ask.pool()));
        }
        final Optional<AgentTask> task = snapshot.task().flatMap(found -> found);
        if (task.isPresent()) {
            return standing(ask, task.get(), snapshot.waiting());
        }
        final Optional<Refusal> closed = closed(ask, snapshot);
        if (closed.isEmpty()) {
            return new RequestPlan.Create();
        }
        // A repeated request gets its task's outcome even from a pool that accepts nothing new.
        return ask.key().isPresent() && snapshot.task().isEmpty()
                ? new RequestPlan.Find()
                : new RequestPlan.Refuse(closed.get());
    }

    private static boolean takesRequests(WorkerPool pool) {
        return pool.getSpec().taskRequests().allowedFrom() == WorkerPoolSpec.RequestOrigin.NATS;
    }

    private static RequestPlan standing(Ask ask, AgentTask task, int waiting) {
        final String name = task.getMetadata().getName();
        if (task.getMetadata().getDeletionTimestamp() != null) {
            return new RequestPlan.Refuse(
                    Refusal.unavailable("AgentTask " + name + " is just being deleted: ask again in a moment."));
        }
        if (ask.key().isPresent()
                && !(ask.key().get().equals(task.getSpec().idempotencyKey())
                        && SpecHash.of(ask.spec()).equals(SpecHash.of(task.getSpec())))) {
            return new RequestPlan.Refuse(Refusal.otherWork(ask.key().get(), name));
        }
        if (ask.endpoint() == Ask.Endpoint.submit) {
            return new RequestPlan.Accept(task);
        }
        if (task.isFinished()) {
            return new RequestPlan.Answer(task);
        }
        return waiting >= MOST_WAITING ? new RequestPlan.Refuse(Refusal.crowded(waiting)) : new RequestPlan.Wait(task);
    }

    /** Why the pool accepts no new task; empty if it does. */
    private static Optional<Refusal> closed(Ask ask, RequestSnapshot snapshot) {
        if (snapshot.pool().isEmpty()) {
            return Optional.of(Refusal.noPool(ask.namespace(), ask.pool()));
        }
        final WorkerPool pool = snapshot.pool().get();
        if (pool.isTerminating()) {
            return Optional.of(Refusal.poolAway(Reason.PoolTerminating, Reason.PoolTerminating.sentence()));
        }
        final List<Condition> conditions =
                pool.observedStatus().map(WorkerPoolStatus::conditions).orElse(List.of());
        if (!Conditions.isTrue(conditions, "QueueReady")) {
            final String why = Conditions.find(conditions, "QueueReady")
                    .map(condition -> condition.getReason() + ": " + condition.getMessage())
                    .orElse("the operator has not made it yet: ask again in a moment.");
            return Optional.of(Refusal.poolAway(
                    Reason.PoolNotReady, "The queue of WorkerPool " + ask.pool() + " is not there: " + why));
        }
        if (isFull(pool, snapshot.unfinished())) {
            return Optional.of(Refusal.full("WorkerPool " + ask.pool() + ": " + Reason.QueueFull.sentence()));
        }
        return snapshot.waiting() >= MOST_WAITING && ask.endpoint() == Ask.Endpoint.run
                ? Optional.of(Refusal.crowded(snapshot.waiting()))
                : Optional.empty();
    }

    /** True if the queue has refused a task or would refuse the next one. */
    private static boolean isFull(WorkerPool pool, List<AgentTask> unfinished) {
        final Integer most = pool.getSpec().queue().maxMessages();
        return (most != null && unfinished.size() >= most)
                || unfinished.stream().anyMatch(RequestPlanner::wasTurnedAway);
    }

    private static boolean wasTurnedAway(AgentTask task) {
        return task.observedStatus()
                .map(AgentTaskStatus::conditions)
                .flatMap(conditions -> Conditions.find(conditions, "Ready"))
                .filter(ready -> Reason.QueueFull.name().equals(ready.getReason()))
                .isPresent();
    }
}
