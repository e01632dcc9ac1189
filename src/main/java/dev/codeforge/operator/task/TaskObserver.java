package dev.codeforge.operator.task;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.api.WorkerPoolStatus;
import dev.codeforge.jetstream.Connections;
import dev.codeforge.jetstream.TaskQueue.StandingMessage;
import dev.codeforge.operator.index.TaskIndex;
import dev.codeforge.operator.results.TaskResults;
import dev.codeforge.operator.task.admission.Backlog;
import dev.codeforge.operator.task.admission.Candidate;
import dev.codeforge.operator.task.admission.SessionTasks;
import dev.codeforge.operator.task.loss.RunningPods;
import dev.codeforge.wire.DispatchKey;
import dev.codeforge.wire.Subjects;
import dev.codeforge.wire.TaskEvent;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import java.util.List;
import java.util.Optional;

/** Reads what a decision on a task is made from. It writes nothing. */
final class TaskObserver {
    private final Connections connections;
    private final DispatchKey key;
    private final String installation;
    private final TaskResults results;
    private final RunningPods pods;
    private final Backlog backlog;

    TaskObserver(
            Connections connections,
            DispatchKey key,
            String installation,
            TaskResults results,
            RunningPods pods,
            Backlog backlog) {
        this.connections = connections;
        this.key = key;
        this.installation = installation;
        this.results = results;
        this.pods = pods;
        this.backlog = backlog;
    }

    TaskSnapshot observe(AgentTask task, boolean deleted, Context<AgentTask> context) {
        final Optional<WorkerPool> pool = poolOf(task, context);
        if (task.isFinished()) {
            return new TaskSnapshot(
                    Candidate.of(task, pool, List.of(), false),
                    deleted,
                    Optional.empty(),
                    0,
                    Optional.empty(),
                    Optional.empty(),
                    Optional.empty());
        }
        // The queue first, then the results: a worker writes its outcome before its message goes.
        final Optional<StandingMessage> standing = message(task, pool);
        final TaskResults.Last last = results.last(task);
        return new TaskSnapshot(
                Candidate.of(task, pool, SessionTasks.of(task, context.getPrimaryCache()), backlog.isBehind(task)),
                deleted,
                standing,
                last.sequence(),
                last.proven().flatMap(event -> event.proven(key)),
                // The pod's times are of its node's clock, as the worker's own are.
                last.proven()
                        .flatMap(event -> event.asWritten(key))
                        .filter(TaskEvent::isRunning)
                        .flatMap(run -> pods.loss(task, pool, run, context)),
                Optional.empty());
    }

    /** Another installation's message on the task's subject is neither judged nor removed. */
    private Optional<StandingMessage> message(AgentTask task, Optional<WorkerPool> pool) {
        return pool.flatMap(WorkerPool::observedStatus)
                .map(WorkerPoolStatus::queue)
                .flatMap(queue ->
                        connections.queue().standing(queue.stream(), Subjects.task(queue.subject(), task.uid())))
                .filter(message -> message.installation().equals(installation));
    }

    /** The new task under the name of a deleted one may be of another pool, and then this one's pool is not known. */
    static Optional<WorkerPool> poolOf(AgentTask task, Context<AgentTask> context) {
        return context.getSecondaryResource(WorkerPool.class)
                .filter(pool -> ResourceID.fromResource(pool).equals(TaskIndex.poolOf(task)));
    }
}
