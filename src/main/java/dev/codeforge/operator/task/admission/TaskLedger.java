package dev.codeforge.operator.task.admission;

import dev.codeforge.api.AgentTask;
import dev.codeforge.jetstream.CasBucket;
import dev.codeforge.jetstream.Connections;
import dev.codeforge.operator.task.status.StatusToEvent;
import dev.codeforge.operator.task.status.StatusTransition;
import dev.codeforge.wire.LedgerKey;
import dev.codeforge.wire.LedgerRecord;
import dev.codeforge.wire.TaskEvent;
import dev.codeforge.wire.TaskRef;
import java.time.Clock;
import java.util.Optional;

/** Keeps the ledger for tasks with an idempotency key. If another writer was faster, the write is planned again. */
final class TaskLedger {
    private final Connections connections;
    private final OwnerTakeover former;
    private final String installation;
    private final Clock clock;

    /** @param clock of NATS, as all times of events are */
    TaskLedger(Connections connections, OwnerTakeover former, String installation, Clock clock) {
        this.connections = connections;
        this.former = former;
        this.installation = installation;
        this.clock = clock;
    }

    Optional<CasBucket.Entry<LedgerRecord>> read(AgentTask task) {
        return connections.ledger().read(keyOf(task)).or(() -> ofEarlierVersions(task));
    }

    /**
     * An upgrade of the operator must not make users pay again for a recorded outcome. A claim may belong to another
     * installation, so it counts only while its owner exists in this cluster. The next write is the first one under the
     * entry name with the installation, so its expected revision is 0.
     */
    private Optional<CasBucket.Entry<LedgerRecord>> ofEarlierVersions(AgentTask task) {
        return connections
                .ledger()
                .read(LedgerKey.ofEarlierVersions(
                        task.getMetadata().getNamespace(), task.getSpec().idempotencyKey()))
                .filter(entry ->
                        entry.record().outcome() != null || owner(entry.record()) == Candidate.OwnerState.UNFINISHED)
                .map(entry -> new CasBucket.Entry<>(entry.record(), 0, entry.written()));
    }

    Candidate.OwnerState owner(LedgerRecord claim) {
        return former.state(claim.namespace(), claim.name(), claim.uid());
    }

    void claim(AgentTask task, Admission.Claim plan) {
        connections.ledger().write(keyOf(task), plan.claim(), plan.revision());
    }

    /** Ends the former owner's run before this task takes the key. If the owner had ended, records its end instead. */
    void takeOver(AgentTask task, Admission.TakeOver plan) {
        final String namespace = task.getMetadata().getNamespace();
        final String pool = task.getSpec().workerPoolRef().name();
        final String its = Optional.ofNullable(plan.before().pool()).orElse(pool);
        final Optional<TaskEvent> end = former.end(
                        new TaskRef(namespace, its, plan.before().uid()),
                        plan.stream(),
                        // Not purged in another pool: a worker finds the event there, and a sweep removes the message.
                        its.equals(pool) ? plan.subject() : "",
                        "another has its idempotencyKey now")
                .filter(last -> KeptEnd.ofDeleted(last, plan.retry()));
        connections
                .ledger()
                .write(
                        keyOf(task),
                        end.map(event -> outcome(plan.before(), event)).orElse(plan.claim()),
                        plan.revision());
    }

    /** Call this before the status reports the end. Records it, or releases the key after a failure before any run. */
    void settle(AgentTask task, StatusTransition view) {
        if (task.getSpec().idempotencyKey() == null) {
            return;
        }
        if (view instanceof StatusTransition.Ended ended) {
            end(task, ended.event());
        } else if (view instanceof StatusTransition.Closed closed) {
            end(task, StatusToEvent.between(task, closed, clock.instant()));
        } else if (view instanceof StatusTransition.Adopted) {
            // No sweep sees a task that its time to live deletes at once.
            renew(task);
        }
    }

    /**
     * Writes the entry of the task's key again before it expires. A key that a user has freed stays free.
     *
     * @return whether a write was due
     */
    boolean renew(AgentTask task) {
        final String key = keyOf(task);
        final Optional<CasBucket.Entry<LedgerRecord>> entry =
                connections.ledger().read(key);
        return KeyUpkeep.due(task, entry, clock.instant())
                .filter(record -> entry.isPresent() || !connections.ledger().isFreed(key))
                .flatMap(record -> connections
                        .ledger()
                        .write(key, record, entry.map(CasBucket.Entry::revision).orElse(0L)))
                .isPresent();
    }

    private void end(AgentTask task, TaskEvent event) {
        if (KeptEnd.isKept(task.statusOrUnobserved(), event)) {
            record(task, event);
        } else {
            release(task);
        }
    }

    private void record(AgentTask task, TaskEvent event) {
        final LedgerRecord wanted = outcome(ClaimPlanner.claim(task), event);
        boolean written = false;
        while (!written) {
            final Optional<CasBucket.Entry<LedgerRecord>> entry = read(task);
            written = entry.filter(found ->
                                    wanted.equals(found.record()) || !KeptEnd.mayReplace(found.record(), task, event))
                            .isPresent()
                    || connections
                            .ledger()
                            .write(
                                    keyOf(task),
                                    wanted,
                                    entry.map(CasBucket.Entry::revision).orElse(0L))
                            .isPresent();
        }
    }

    private void release(AgentTask task) {
        read(task)
                .filter(entry -> entry.record().uid().equals(task.uid())
                        && entry.record().outcome() == null)
                .ifPresent(entry -> connections.ledger().delete(keyOf(task), entry.revision()));
    }

    static LedgerRecord outcome(LedgerRecord owner, TaskEvent event) {
        return new LedgerRecord(owner.uid(), owner.namespace(), owner.pool(), owner.name(), owner.specHash(), event);
    }

    private String keyOf(AgentTask task) {
        return LedgerKey.of(
                installation, task.getMetadata().getNamespace(), task.getSpec().idempotencyKey());
    }
}
