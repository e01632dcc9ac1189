package dev.codeforge.operator.task;

import dev.codeforge.api.AgentTask;
import dev.codeforge.jetstream.Connections;
import dev.codeforge.jetstream.Ledger;
import dev.codeforge.jetstream.Results;
import dev.codeforge.jetstream.TaskQueue;
import dev.codeforge.wire.LedgerRecord;
import dev.codeforge.wire.TaskEvent;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.util.Optional;

/** Keeps the ledger for tasks with an idempotency key. A write that somebody else's overtook is planned again. */
final class TaskLedger {
    private final KubernetesClient client;
    private final Connections connections;
    private final OperatorEvents events;

    TaskLedger(KubernetesClient client, Connections connections, OperatorEvents events) {
        this.client = client;
        this.connections = connections;
        this.events = events;
    }

    Optional<Ledger.Entry> read(AgentTask task) {
        return of(task).read(task.getMetadata().getNamespace(), task.getSpec().idempotencyKey());
    }

    /** A live look: the cache may not know yet that a task is gone. One that has ended lets its key go. */
    TaskSnapshot.OwnerState owner(LedgerRecord claim) {
        final AgentTask live = client.resources(AgentTask.class)
                .inNamespace(claim.namespace())
                .withName(claim.name())
                .get();
        return live == null || !live.uid().equals(claim.uid()) || live.isFinished()
                ? TaskSnapshot.OwnerState.GONE
                : TaskSnapshot.OwnerState.UNFINISHED;
    }

    void claim(AgentTask task, TaskPlan.Claim plan) {
        of(task).write(
                        task.getMetadata().getNamespace(),
                        task.getSpec().idempotencyKey(),
                        plan.claim(),
                        plan.revision());
    }

    /** What the former owner ran is ended before the key is taken; what it completed is kept instead. */
    void takeOver(AgentTask task, TaskPlan.TakeOver plan) {
        final String namespace = task.getMetadata().getNamespace();
        final String uid = plan.before().uid();
        final Results results = connections.results(namespace);
        final TaskQueue queue = connections.queue(namespace);
        final String subject = plan.subject().isEmpty()
                ? ""
                : plan.subject().substring(0, plan.subject().lastIndexOf('.') + 1) + uid;
        final int attempt = Math.max(
                events.last(results, uid).map(TaskEvent::attempt).orElse(1),
                subject.isEmpty()
                        ? 1
                        : queue.standing(plan.stream(), subject)
                                .map(message -> message.attempt())
                                .orElse(1));
        events.endUnfinished(
                results,
                uid,
                attempt,
                TaskEvent.Kind.CANCELLED,
                new TaskEvent.Failure(
                        "TaskDeleted", "the AgentTask was deleted; another has its idempotencyKey now", false));
        if (!subject.isEmpty()) {
            queue.purge(plan.stream(), subject);
        }
        final Optional<TaskEvent> completed =
                events.last(results, uid).filter(event -> event.kind() == TaskEvent.Kind.COMPLETED);
        of(task).write(
                        namespace,
                        task.getSpec().idempotencyKey(),
                        completed.map(event -> outcome(plan.before(), event)).orElse(plan.claim()),
                        plan.revision());
    }

    /** Before the status tells the end: a success is recorded, any other end lets the key go. */
    void settle(AgentTask task, TaskView view) {
        if (task.getSpec().idempotencyKey() == null) {
            return;
        }
        if (view instanceof TaskView.Ended ended && ended.event().kind() == TaskEvent.Kind.COMPLETED) {
            record(task, ended.event());
        } else if (view instanceof TaskView.Ended || view instanceof TaskView.Closed) {
            release(task);
        }
    }

    private void record(AgentTask task, TaskEvent event) {
        final LedgerRecord wanted = outcome(ClaimPlanner.claim(task), event);
        boolean written = false;
        while (!written) {
            final Optional<Ledger.Entry> entry = read(task);
            written = entry.filter(found -> wanted.equals(found.record())).isPresent()
                    || of(task).write(
                                    task.getMetadata().getNamespace(),
                                    task.getSpec().idempotencyKey(),
                                    wanted,
                                    entry.map(Ledger.Entry::revision).orElse(0L))
                            .isPresent();
        }
    }

    private void release(AgentTask task) {
        read(task)
                .filter(entry -> entry.record().uid().equals(task.uid())
                        && entry.record().outcome() == null)
                .ifPresent(entry -> of(task).release(
                                task.getMetadata().getNamespace(),
                                task.getSpec().idempotencyKey(),
                                entry.revision()));
    }

    private static LedgerRecord outcome(LedgerRecord owner, TaskEvent event) {
        return new LedgerRecord(owner.uid(), owner.namespace(), owner.name(), owner.specHash(), event);
    }

    private Ledger of(AgentTask task) {
        return connections.ledger(task.getMetadata().getNamespace());
    }
}
