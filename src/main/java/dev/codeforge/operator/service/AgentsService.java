package dev.codeforge.operator.service;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.jetstream.Connections;
import dev.codeforge.jetstream.RequestReply;
import dev.codeforge.operator.index.PoolIndex;
import dev.codeforge.operator.index.TaskIndex;
import dev.codeforge.operator.sweep.Sweep;
import dev.codeforge.wire.Headers;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Serves {@code agents.run} and {@code agents.submit}: creates AgentTasks and answers with their outcome. */
public final class AgentsService {
    private static final Logger LOG = LoggerFactory.getLogger(AgentsService.class);
    /** How many requests are processed at once. The others wait, in order, in the client's buffer. */
    private static final int AT_ONCE = 16;

    private final Semaphore room = new Semaphore(AT_ONCE);
    private final RequestPlanner planner = new RequestPlanner();
    private final Connections connections;
    private final TaskIndex index;
    private final PoolIndex pools;
    private final RequestedTasks tasks;
    private final WaitingReplies waiting;
    private final WaitingSweep sweep;

    /** @param waiting receives the progress of tasks from their reconciles */
    public AgentsService(
            KubernetesClient client,
            Connections connections,
            TaskIndex index,
            PoolIndex pools,
            WaitingReplies waiting) {
        this.connections = connections;
        this.index = index;
        this.pools = pools;
        this.tasks = new RequestedTasks(client);
        this.waiting = waiting;
        this.sweep = new WaitingSweep(index, tasks, waiting);
    }

    /** Answers callers that a reconcile has missed. */
    public Sweep sweep() {
        return sweep;
    }

    /**
     * Serves until closed; callers that still wait are then asked to repeat their request. Call this when the caches
     * are filled.
     */
    public AutoCloseable open() {
        final AutoCloseable serving = connections.requests().serve(this::take);
        return () -> {
            serving.close();
            waiting.dismiss();
        };
    }

    private void take(RequestReply.Request request) {
        room.acquireUninterruptibly();
        Thread.ofVirtual().name("request").start(() -> {
            try {
                serve(request);
            } finally {
                room.release();
            }
        });
    }

    private void serve(RequestReply.Request request) {
        final Caller caller = new Caller(
                request.replies(),
                request.header(Headers.PROGRESS).filter("true"::equals).isPresent());
        try {
            final Ask ask = TaskRequestReader.read(request.subject(), request::header, request.body());
            execute(decide(ask), caller);
        } catch (RefusedException e) {
            caller.finish(Answer.refused(e.refusal(), Optional.empty()));
        } catch (RuntimeException e) {
            LOG.warn("a request on {} was not served", request.subject(), e);
            caller.finish(Answer.refused(
                    Refusal.unavailable(
                            "The request was not served (" + e.getMessage()
                                    + "). Ask again with the same Nats-Msg-Id; without one, see first whether the task is there."),
                    Optional.empty()));
        }
    }

    private RequestPlan decide(Ask ask) throws RefusedException {
        final String name = TaskNames.of(ask);
        final Optional<WorkerPool> pool = pools.get(new ResourceID(ask.pool(), ask.namespace()));
        RequestSnapshot snapshot = new RequestSnapshot(pool, unfinished(pool, ask), waiting.size(), Optional.empty());
        RequestPlan plan = planner.plan(ask, snapshot);
        while (plan instanceof RequestPlan.Question question) {
            snapshot = snapshot.withTask(
                    question instanceof RequestPlan.Create
                            ? tasks.create(ask, name)
                            : tasks.find(ask.namespace(), name));
            plan = planner.plan(ask, snapshot);
        }
        return plan;
    }

    /** The number of unfinished tasks matters only for a queue with a limit. */
    private List<AgentTask> unfinished(Optional<WorkerPool> pool, Ask ask) {
        return pool.map(found -> found.getSpec().queue())
                .filter(queue -> queue.maxMessages() != null || queue.maxBytes() != null)
                .map(queue -> index.unfinishedOf(ask.namespace(), ask.pool()))
                .orElse(List.of());
    }

    private void execute(RequestPlan plan, Caller caller) {
        switch (plan) {
            case RequestPlan.Refuse refuse -> caller.finish(Answer.refused(refuse.refusal(), Optional.empty()));
            case RequestPlan.Accept accept -> caller.finish(Answer.accepted(accept.task()));
            case RequestPlan.Answer answer ->
                caller.finish(Answer.outcome(
                        answer.task(), answer.task().observedStatus().orElseThrow()));
            case RequestPlan.Wait wait -> waitFor(wait.task(), caller);
            case RequestPlan.Question question ->
                throw new IllegalStateException("a question is answered before its plan is executed: " + question);
        }
    }

    private void waitFor(AgentTask task, Caller caller) {
        if (!caller.isThere()) {
            return;
        }
        if (caller.progress()) {
            caller.tell(Answer.begun(task));
        }
        waiting.put(task, caller);
        // The task may have ended before the caller was registered. If the cache does not have its end yet, the sweep
        // answers.
        index.byUid(task.uid()).ifPresent(now -> now.observedStatus().ifPresent(status -> waiting.status(now, status)));
    }
}
